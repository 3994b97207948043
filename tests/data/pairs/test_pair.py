from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import small_pairs
from rerail.data.pairs.pair import Pair, sifted


def test_a_pair_without_a_file_an_identity_or_an_id_of_its_own_is_named(tmp_path: Path) -> None:
    good = Pair(
        id="a",
        image=small_pairs.picture(tmp_path / "a.png"),
        audio=small_pairs.recording(tmp_path / "a.wav"),
        identity="ana",
    )
    (tmp_path / "empty.png").touch()
    bad = [
        good,
        replace(good, id="b", identity=""),
        replace(good, id="c", image=tmp_path / "gone.png"),
        replace(good, id="d", audio=tmp_path / "gone.wav"),
        replace(good, id="e", image=tmp_path / "empty.png"),
    ]
    found = sifted([good, *bad], [], "list")
    assert found.pairs == (good,)
    kinds = [(one.id, one.kind) for one in found.left_out]
    assert kinds == [("a", "id twice"), *zip("bcde", ("identity", "no picture", "no audio", "no picture"), strict=True)]
    with pytest.raises(ValueError, match=r"list: no picture could be paired with a recording \(b: it has no identity"):
        sifted(bad[1:], [], "list")
