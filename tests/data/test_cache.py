from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from rerail.data import cache


def test_what_cannot_be_computed_is_an_error_beside_the_rest(tmp_path: Path) -> None:
    def compute(number: int) -> Tensor:
        if number == 2:
            raise ValueError("two")
        return torch.full((number, 1, 2), number, dtype=torch.uint8)

    wanted, told = [("a", 1), ("b", 2), ("c", 3), ("a", 1)], list[tuple[int, int]]()
    found = cache.filled(tmp_path / "cache", wanted, compute, torch.uint8, lambda *one: told.append(one))
    assert {key: str(one) if isinstance(one, ValueError) else one.shape for key, one in found.items()} == {
        "a": (1, 1, 2),
        "b": "two",
        "c": (3, 1, 2),
    }
    assert told == [(2, 4), (3, 4), (4, 4)]


def test_parameters_and_bytes_make_the_key_and_the_name_does_not(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path, content in zip(paths, ("one", "one", "two"), strict=True):
        path.write_text(content)
    assert cache.key(1, paths[0]) == cache.key(1, paths[1])
    assert len({cache.key(1, paths[0]), cache.key(2, paths[0]), cache.key(1, paths[2]), cache.key(1, tmp_path)}) == 4


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(ValueError, match="is a file; choose another folder"):
        cache.filled(tmp_path / "cache", [("a", 1)], lambda _: torch.ones(1, 1))
