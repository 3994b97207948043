from __future__ import annotations

import html
import math
import re
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerail.tell import fields, journal
from rerail.tell.tensorboard import TensorBoard, as_markdown

pytest.importorskip("tensorboard", reason='pip install "rerail[tensorboard]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # of a library that we do not change


def events(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: PLC0415

    found = EventAccumulator(str(folder), size_guidance={"images": 0, "audio": 0, "scalars": 0, "tensors": 0})  # type: ignore[no-untyped-call]
    found.Reload()  # type: ignore[no-untyped-call]
    return found


def rendered(markdown: str) -> str:
    from tensorboard.plugin_util import markdown_to_safe_html  # noqa: PLC0415

    return str(markdown_to_safe_html(markdown))  # type: ignore[no-untyped-call]


def curve(found: Any, name: str) -> list[tuple[int, float]]:
    return [(one.step, one.value) for one in found.Scalars(name)]


def test_readings_are_scalars_and_events_are_text_over_ticks(tmp_path: Path) -> None:
    with closing(TensorBoard(tmp_path, run=tmp_path)) as board:
        values = {"step": 7, "loss/mel": 0.5, "eval/mel": 0.25, "knob/lr_scale": 0.1}
        board({"kind": "reading", "tick": 8, "time": 99.5, "values": values})
        board({"kind": "note", "tick": 8, "time": 99.75, "text": "looked", "data": {}})
    found = events(tmp_path)
    assert {name: curve(found, name) for name in values} == {
        name: [(8, pytest.approx(y))] for name, y in values.items()
    }
    assert [one.wall_time for one in found.Scalars("loss/mel")] == [99.5]
    (text,) = found.Tensors("events")
    assert (text.step, text.wall_time) == (8, 99.75)
    assert rendered(text.tensor_proto.string_val[0]) == "<ul>\n<li>tick 8, step 7: looked</li>\n</ul>"


def test_what_is_not_finite_can_be_seen_and_what_is_rewound_is_kept(tmp_path: Path) -> None:
    with closing(TensorBoard(tmp_path, run=tmp_path)) as board:
        for tick, (step, loss) in enumerate([(0, 1.0), (1, "nan"), (1, 0.9), (2, "inf"), (0, 0.8)], 1):
            board({"kind": "reading", "tick": tick, "values": {"step": step, "loss/mel": loss}})
    found = events(tmp_path)
    losses = [value for _, value in curve(found, "loss/mel")]
    assert math.isnan(losses.pop(1))
    assert losses == pytest.approx([1.0, 0.9, math.inf, 0.8])
    assert curve(found, "nonfinite") == [(1, 0), (2, 1), (3, 0), (4, 1), (5, 0)]
    assert curve(found, "step") == [(1, 0), (2, 1), (3, 1), (4, 2), (5, 0)]


def test_events_of_one_tick_stand_together_as_they_come(tmp_path: Path) -> None:
    with closing(TensorBoard(tmp_path, run=tmp_path)) as board:
        for text in ("one", "two"):
            board({"kind": "note", "tick": 3, "text": text, "data": {}})
            told = [one.tensor_proto.string_val[0] for one in events(tmp_path).Tensors("events")]
            assert text.encode() in told[-1]  # at once, as a run may hang from here on
    assert told[-1] == b"- tick 3: one\n- tick 3: two"


def test_pictures_and_sounds_of_a_run_arrive_byte_for_byte(realistic_run: Path, tmp_path: Path) -> None:
    with closing(TensorBoard(tmp_path, run=realistic_run)) as board:
        for record in journal.read(realistic_run):
            board(record)
    found = events(tmp_path)
    pictures = found.Images("alignment")
    files = sorted((realistic_run / "artifacts").glob("alignment-*.png"), key=lambda path: int(path.stem[10:]))
    assert [one.step for one in pictures] == [110, 280, 430]
    assert [one.encoded_image_string for one in pictures] == [file.read_bytes() for file in files]
    assert (pictures[0].width, pictures[0].height) == struct.unpack(">II", files[0].read_bytes()[16:24])
    (sound,) = found.Audio("speech")
    assert sound.sample_rate == 16_000
    assert sound.encoded_audio_string == (realistic_run / "artifacts/speech.wav").read_bytes()
    assert any(b"Cause, proved in 3 replays" in one.tensor_proto.string_val[0] for one in found.Tensors("events"))


def test_a_resumed_run_goes_on_in_the_same_curves(tmp_path: Path) -> None:
    for tick in (1, 2):
        with closing(TensorBoard(tmp_path, run=tmp_path)) as board:
            board({"kind": "reading", "tick": tick, "values": {"loss": 1.0}})
    assert [tick for tick, _ in curve(events(tmp_path), "loss")] == [1, 2]


def test_odd_names_are_one_printable_line_and_large_numbers_do_no_harm(tmp_path: Path) -> None:
    names = ["<b>x</b>", "a b/c:d", "ошибка/мел", "new\nline", "\ud800lone", "\u202eback", "\x1b[31mred"]
    with closing(TensorBoard(tmp_path, run=tmp_path)) as board:
        board({"kind": "reading", "tick": 1, "values": dict.fromkeys(names, 1e300)})
    assert sorted(events(tmp_path).Tags()["scalars"]) == sorted([*map(fields.plain, names), "nonfinite"])


MARKS = st.sampled_from(list("\\`*_{}[]<>&#+!|~-=.:() /1a\"'^$@%"))


@given(st.text(alphabet=st.one_of(MARKS, st.characters()), max_size=40))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    line = fields.plain(text)
    shown = rendered(f"- tick 1: {as_markdown(line)}.")
    assert shown.startswith("<ul>\n<li>")
    assert html.unescape(shown.removeprefix("<ul>\n<li>").removesuffix("</li>\n</ul>")) == f"tick 1: {line}."


def test_markup_in_names_of_a_run_is_no_markup(tmp_path: Path, make: Callable[..., dict[str, Any]]) -> None:
    name = "<img src=x onerror=alert(1)> [click](javascript:alert(1)) **bold** `code` | a | b |"
    with closing(TensorBoard(tmp_path, run=tmp_path)) as board:
        found = {"code": "nonfinite.loss", "signal": name, "evidence": {name: math.inf}}
        board(make("verdict", 4, move="SKIP", knobs={}, findings=[found]))
    (text,) = events(tmp_path).Tensors("events")
    page = rendered(text.tensor_proto.string_val[0])
    assert set(re.findall(r"</?(\w+)", page)) == {"ul", "li"}
    assert name in html.unescape(page)
