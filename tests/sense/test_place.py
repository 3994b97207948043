from __future__ import annotations

import inspect

import pytest
import torch
from torch.nn import functional

from rerail import guard
from rerail.prove import trace
from rerail.sense import draws
from rerail.sense.place import ours


@pytest.mark.parametrize("module", [functional, torch, guard, trace, draws])
def test_torchs_and_rerails_own_files_are_not_the_users(module: object) -> None:
    assert ours(inspect.getfile(module))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "file", ["/data/mine/torch/train.py", "C:\\work\\torch\\train.py", "/data/mine/rerail/sense/mine.py", __file__]
)
def test_a_folder_of_the_user_may_be_called_as_theirs_are(file: str) -> None:
    assert not ours(file)
