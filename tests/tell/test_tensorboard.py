from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason='pip install "rerail[tensorboard]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # of a library that we do not change


def events(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    found = EventAccumulator(str(folder))  # type: ignore[no-untyped-call]
    found.Reload()  # type: ignore[no-untyped-call]
    return found


def test_readings_are_scalars_and_events_are_text_at_their_steps(tmp_path: Path) -> None:
    from rerail.tell.tensorboard import TensorBoard  # noqa: PLC0415

    with TensorBoard(tmp_path) as board:
        board({"kind": "reading", "tick": 8, "values": {"step": 7, "loss/mel": 0.5, "grad/norm": "inf"}})
        board({"kind": "note", "tick": 8, "text": "<b>saved</b>", "data": {}})
    found = events(tmp_path)
    assert [(one.step, one.value) for one in found.Scalars("loss/mel")] == [(7, 0.5)]
    (text,) = found.Tensors("events/text_summary")
    assert text.step == 7
    assert b"&lt;b>saved" in text.tensor_proto.string_val[0]
