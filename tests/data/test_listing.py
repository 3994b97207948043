from __future__ import annotations

from pathlib import Path

from rerail.data.clip import Clip
from rerail.data.listing import LeftOut, flat, sifted


def test_clips_and_recordings_that_are_not_used_are_named_once(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.wav" for name in ("a", "b", "tone", "stray", "empty")}
    for path in paths.values():
        path.write_bytes(b"" if path.stem == "empty" else b"sound")
    clips = [
        Clip(id="a", path=paths["a"], text="Words."),
        Clip(id="a", path=paths["b"], text="Words."),
        Clip(id="bar", path=paths["a"], text="one | two"),
        Clip(id="empty", path=paths["empty"], text="Words."),
        Clip(id="gone", path=tmp_path / "gone.wav", text="Words."),
        Clip(id="mute", path=paths["a"], text=" "),
    ]
    listing = sifted(clips, paths, [LeftOut(id="tone", kind="tone", reason="no speech")])
    assert [one.id for one in listing.clips] == ["a"]
    assert [(one.id, one.kind) for one in listing.left_out] == [
        ("tone", "tone"),
        ("a", "id twice"),
        ("bar", "text"),
        ("empty", "no audio"),
        ("gone", "no audio"),
        ("mute", "no text"),
        ("stray", "no text"),
    ]


def test_a_path_becomes_one_name() -> None:
    assert flat(Path("/x/digits/1.wav"), Path("/x")) == "digits_1"
