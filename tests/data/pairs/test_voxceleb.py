from __future__ import annotations

from pathlib import Path

import small_pairs
from rerail.data.pairs import voxceleb


def test_pictures_of_the_same_video_come_first(tmp_path: Path) -> None:
    for number, name in enumerate(("id1/v1/1.jpg", "id1/v2/7.jpg", "id1/v2/8.jpg", "id2/face.jpg", "id9/v/1.jpg")):
        small_pairs.picture(tmp_path / "images" / name, number)
    for name in ("id1/v1/00001.wav", "id1/v2/00001.wav", "id1/v3/00001.wav", "id2/v1/1.wav", "id2/v2/1.flac"):
        small_pairs.recording(tmp_path / "wavs" / name)
    found = voxceleb.read(tmp_path / "images", tmp_path / "wavs")
    pairs = [
        (one.identity, *(str(path.relative_to(tmp_path)) for path in (one.image, one.audio))) for one in found.pairs
    ]
    assert pairs == [
        ("id1", "images/id1/v1/1.jpg", "wavs/id1/v1/00001.wav"),
        ("id1", "images/id1/v2/7.jpg", "wavs/id1/v2/00001.wav"),
        ("id1", "images/id1/v2/8.jpg", "wavs/id1/v2/00001.wav"),
        ("id1", "images/id1/v1/1.jpg", "wavs/id1/v3/00001.wav"),
        ("id2", "images/id2/face.jpg", "wavs/id2/v1/1.wav"),
        ("id2", "images/id2/face.jpg", "wavs/id2/v2/1.flac"),
    ]
    assert [one.id for one in found.left_out] == ["id9/v/1"]
    assert found == voxceleb.read(tmp_path / "images", tmp_path / "wavs")
