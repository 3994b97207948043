"""The queue on disk: kills, full disks, locks, many processes; and what a service that fails costs the others."""

from __future__ import annotations

import math
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from bot_api import BotApi
from rerail.core.dispatch import DAY, Bundle, Rule, advance
from rerail.core.notice import Level, Notice
from rerail.tell import database
from rerail.tell.outbox import Outbox, deliver
from rerail.tell.secrets import Secret
from rerail.tell.services import Later, Letter, Refused
from rerail.tell.services.telegram import Telegram

NOW = 1_790_000_000.0
C, S, P = Level.CRITICAL, Level.SUCCESS, Level.PROGRESS


def notice(number: int, level: Level = C, topic: str = "", code: str = "nonfinite") -> Notice:
    return Notice(
        level=level,
        code=code,
        topic=topic or f"topic{number}",
        id=f"n{number}",
        time=NOW,
        tick=number,
        step=number,
        values={"why": "<b>\x1b[31m\udc80"},
        pictures=("artifacts/a.png",),
    )


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path / "outbox.sqlite", ("telegram", "mail"), bound=20)) as made:
        yield made


@dataclass
class Carrier:
    """A service that keeps what it is given, or raises what it is told to."""

    name: str = "telegram"
    raises: Exception | None = None
    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> int:
        if self.raises is not None:
            raise self.raises
        self.letters.append(letter)
        return 1

    def close(self) -> None:
        pass


def ids(outbox: Outbox, service: str = "telegram") -> list[str]:
    return [waiting.notice.id for waiting in outbox.waiting(service)]


def bundle(outbox: Outbox, now: float = NOW, service: str = "telegram") -> Bundle:
    chosen = advance(Rule(), outbox.state(service, now), outbox.waiting(service), now)
    assert isinstance(chosen, Bundle)
    return chosen


def test_a_notice_comes_back_as_it_was_and_is_put_once(outbox: Outbox) -> None:
    assert outbox.put(notice(1), notice(2)) == 2
    assert outbox.put(notice(2), notice(3)) == 1
    assert [waiting.notice for waiting in outbox.waiting("mail")] == [notice(1), notice(2), notice(3)]


def test_what_was_sent_is_not_put_again_after_a_restart(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", ("telegram",))) as outbox:
        outbox.put(notice(1))
        assert deliver(outbox, Carrier(), bundle(outbox), Letter(title="t"), lambda: NOW) == ""
    with closing(Outbox(tmp_path / "o.sqlite", ("telegram",))) as outbox:
        assert outbox.put(notice(1)) == 0
        assert ids(outbox) == []
        assert outbox.state("telegram", NOW + 5).sent == ((NOW, 1),)
        assert outbox.state("telegram", NOW + 5).told == {"topic1": NOW}


def test_each_service_has_its_own_state(outbox: Outbox) -> None:
    outbox.put(notice(1), notice(2))
    dead = Carrier("mail", raises=Later("connection refused"))
    assert deliver(outbox, dead, bundle(outbox, service="mail"), Letter(title="t"), lambda: NOW) == "connection refused"
    well = Carrier()
    for _ in range(2):
        deliver(outbox, well, bundle(outbox), Letter(title="t"), lambda: NOW)
    assert len(well.letters) == 2
    assert (ids(outbox), ids(outbox, "mail")) == ([], ["n1", "n2"])
    assert (outbox.state("mail", NOW).failures, outbox.reason("mail")) == (1, "connection refused")
    assert outbox.state("telegram", NOW).failures == 0


def test_a_wait_that_a_service_asks_for_is_kept_and_success_ends_it(outbox: Outbox) -> None:
    outbox.put(notice(1))
    carrier = Carrier(raises=Later("too many", 77.0))
    deliver(outbox, carrier, bundle(outbox), Letter(title="t"), lambda: NOW)
    assert advance(Rule(), outbox.state("telegram", NOW), outbox.waiting("telegram"), NOW) == NOW + 77
    carrier.raises = None
    deliver(outbox, carrier, bundle(outbox, NOW + 77), Letter(title="t"), lambda: NOW + 77)
    state = outbox.state("telegram", NOW + 80)
    assert (state.failures, state.retry_after, outbox.reason("telegram")) == (0, None, "")


def test_a_failure_spends_no_budget_unless_it_may_have_arrived(outbox: Outbox) -> None:
    outbox.put(notice(1))
    deliver(outbox, Carrier(raises=Later("refused")), bundle(outbox), Letter(title="t"), lambda: NOW)
    assert outbox.state("telegram", NOW).sent == ()
    chosen = bundle(outbox, NOW + 9)
    deliver(outbox, Carrier(raises=Later("no answer", unsure=True)), chosen, Letter(title="t"), lambda: NOW + 9)
    assert outbox.state("telegram", NOW + 9).sent == ((NOW + 9, 1),)
    assert ids(outbox) == ["n1"]


def test_every_message_of_a_long_letter_counts_and_it_may_not_exceed_the_budget(tmp_path: Path) -> None:
    letter = Letter(title="t", lines=tuple(str(number) * 4000 for number in range(9)), most=9)
    now = [NOW]
    with BotApi() as api, closing(Outbox(tmp_path / "o.sqlite", ("telegram",))) as outbox:
        outbox.put(*(notice(number) for number in range(30)))
        with closing(Telegram(Secret(api.token), api.chat, base_url=api.url)) as telegram:
            rule = Rule(budget=7, separate=1)
            for tries in range(8):
                if tries == 1:
                    api.answer_with("slow", seconds=0)
                    api.answer_with(429, retry_after=5)
                chosen = advance(rule, outbox.state("telegram", now[0]), outbox.waiting("telegram"), now[0])
                if isinstance(chosen, Bundle):
                    deliver(outbox, telegram, chosen, letter, lambda: now[0])
                outbox.put(notice(100 + tries))
                now[0] += 1000
        assert len(api.messages) == sum(count for _, count in outbox.state("telegram", now[0]).sent) == 7


def test_progress_that_may_have_arrived_is_not_told_twice(outbox: Outbox) -> None:
    outbox.put(notice(1, P))
    deliver(outbox, Carrier(raises=Later("no answer", unsure=True)), bundle(outbox), Letter(title="t"), lambda: NOW)
    assert ids(outbox) == []


def test_a_message_counts_before_it_goes(tmp_path: Path) -> None:
    """The process that sends is killed between: it can have arrived, and the budget holds."""
    with closing(Outbox(tmp_path / "o.sqlite", ("telegram",))) as outbox:
        outbox.put(notice(1))
        outbox.sending(bundle(outbox), "telegram", NOW)
    with closing(Outbox(tmp_path / "o.sqlite", ("telegram",))) as outbox:
        assert outbox.state("telegram", NOW + 5).sent == ((NOW, 1),)
        assert ids(outbox) == ["n1"]
        deliver(outbox, Carrier(), bundle(outbox, NOW + 5), Letter(title="t"), lambda: NOW + 5)
        assert outbox.state("telegram", NOW + 5).sent == ((NOW, 1), (NOW + 5, 1))


def test_a_service_that_refuses_everything_keeps_its_queue_for_an_hour(outbox: Outbox) -> None:
    outbox.put(notice(1))
    deliver(outbox, Carrier(raises=Refused("blocked")), bundle(outbox), Letter(title="t"), lambda: NOW)
    assert advance(Rule(), outbox.state("telegram", NOW), outbox.waiting("telegram"), NOW) == NOW + 3600
    deliver(outbox, Carrier(raises=Refused("odd", everything=False)), bundle(outbox, NOW + 3600), Letter(title="t"))
    assert ids(outbox) == []


def test_whatever_a_service_raises_is_told_and_tried_again(outbox: Outbox) -> None:
    outbox.put(notice(1))
    why = deliver(outbox, Carrier(raises=ZeroDivisionError("odd")), bundle(outbox), Letter(title="t"), lambda: NOW)
    assert why == "ZeroDivisionError: odd"
    assert ids(outbox) == ["n1"]


def test_a_full_queue_drops_the_oldest_progress_and_counts_it(outbox: Outbox) -> None:
    outbox.put(notice(0), *(notice(number, P) for number in range(1, 31)))
    assert ids(outbox) == ["n0", *(f"n{number}" for number in range(12, 31))]
    assert outbox.left_out("telegram") == 11


def test_a_full_queue_folds_critical_notices_and_loses_none(outbox: Outbox) -> None:
    outbox.put(*(notice(number, C, f"topic{number % 7}") for number in range(500)))
    waiting = outbox.waiting("telegram")
    assert len(waiting) <= 20
    assert sum(row.more + 1 for row in waiting) == 500
    assert {row.notice.topic for row in waiting} == {f"topic{n}" for n in range(7)}
    assert (min(row.first for row in waiting), max(row.last for row in waiting)) == (0, 499)


def test_critical_notices_of_one_code_are_folded_where_no_topic_repeats(outbox: Outbox) -> None:
    outbox.put(*(notice(number, code="halt" if number % 2 else "death") for number in range(100)))
    waiting = outbox.waiting("telegram")
    assert len(waiting) <= 20
    assert sum(row.more + 1 for row in waiting) == 100


def test_what_is_being_sent_is_not_folded_into(outbox: Outbox) -> None:
    outbox.put(notice(0, topic="same"))
    chosen = bundle(outbox)
    outbox.sending(chosen, "telegram", NOW)
    outbox.put(*(notice(number, topic="same") for number in range(1, 40)))
    outbox.sent(chosen, "telegram", NOW)
    assert sum(row.more + 1 for row in outbox.waiting("telegram")) == 39


def test_quiet_and_marks_survive_a_restart(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", ("telegram",))) as outbox:
        outbox.quiet(NOW + 60)
        outbox.remember("journal", "12345")
        outbox.remember("journal", "23456")
    with closing(Outbox(tmp_path / "o.sqlite", ("telegram",))) as outbox:
        assert outbox.state("telegram", NOW).quiet_until == NOW + 60
        assert (outbox.recall("journal"), outbox.recall("other")) == ("23456", None)


def test_a_clock_that_was_far_ahead_blocks_nothing(outbox: Outbox) -> None:
    outbox.put(notice(1), notice(2, P))
    ahead = NOW + 1000 * DAY
    for _ in range(2):
        deliver(outbox, Carrier(), bundle(outbox, ahead), Letter(title="t"), lambda: ahead)
    state = outbox.state("telegram", NOW)
    assert {moment for moment, _ in state.sent} == set(state.told.values()) == {state.progress_at} == {NOW}
    assert outbox.state("telegram", NOW + DAY + 1).sent == ()


PUTS = """
import sys
from pathlib import Path
from rerail.core.notice import Level, Notice
from rerail.tell.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]), ("telegram",), bound=100_000)
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    made = Notice(level=Level.CRITICAL, code="halt", topic=f"t{number}", id=f"n{number}", time=0, tick=number, step=0)
    outbox.put(made)
    print(number, outbox.trouble, flush=True)
"""


def start(path: Path, first: int, last: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PUTS, str(path), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_kill_at_any_moment_loses_nothing_that_was_put(tmp_path: Path) -> None:
    path, told = tmp_path / "o.sqlite", []
    for after in (1, 7, 20):
        with start(path, 1000 * after, 1000 * after + 1000) as process:
            assert process.stdout is not None
            told += [f"n{int(process.stdout.readline())}" for _ in range(after)]
            process.send_signal(signal.SIGKILL)
            told += [f"n{int(line)}" for line in process.stdout]
    with closing(Outbox(path, ("telegram",))) as outbox:
        assert set(told) <= set(ids(outbox))
        assert len(ids(outbox)) <= len(told) + 3  # one each may have been written and not yet said
        assert outbox.trouble == ""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_several_processes_fill_one_outbox(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    processes = [start(path, first, first + 30) for first in (0, 20, 40)]
    assert all(process.communicate()[0] for process in processes)
    with closing(Outbox(path, ("telegram",))) as outbox:
        assert sorted(ids(outbox)) == sorted(f"n{number}" for number in range(70))


def test_several_threads_fill_one_outbox(outbox: Outbox) -> None:
    threads = [threading.Thread(target=outbox.put, args=(notice(n), notice(n + 1))) for n in range(0, 10, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(outbox)) == 10


@contextmanager
def full_disk(largest: int) -> Iterator[None]:
    """No file can grow beyond `largest` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def no_folder(path: Path) -> Iterator[None]:
    aside = path.parent.rename(path.parent.with_name("aside"))
    path.parent.write_text("a file where the folder was")
    yield
    path.parent.unlink()
    aside.rename(path.parent)


WRONG: dict[str, tuple[Callable[[Path], AbstractContextManager[None]], str]] = {
    "full": (lambda _: full_disk(1000), "disk"),
    "locked": (locked, "locked"),
    "gone": (no_folder, "cannot be used"),
}


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY", 0.05)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("wrong", WRONG)
def test_a_disk_that_fails_is_told_and_what_was_held_is_written_later(wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "run" / "o.sqlite"
    breaks, says = WRONG[wrong]
    carrier = Carrier()
    with closing(Outbox(path, ("telegram",))) as outbox:
        outbox.put(notice(1), notice(2))
        with breaks(path):
            assert outbox.put(notice(3)) == 1
            assert says in outbox.trouble
            assert "is in memory" in outbox.trouble
            assert outbox.put(notice(3)) == 0
            deliver(outbox, carrier, bundle(outbox), Letter(title="t"), lambda: NOW)
            for number in range(20):
                outbox.remember("journal", str(number))
            outbox.put(notice(4), notice(5, P))
            assert {"n4", "n5"} <= set(ids(outbox))
        outbox.put(notice(6))
        assert outbox.trouble == ""
    with closing(Outbox(path, ("telegram",))) as outbox:
        assert len(carrier.letters) == 1
        assert len(ids(outbox)) == 5  # of six, none twice and none lost
        assert outbox.state("telegram", NOW).sent == ((NOW, 1),)
        assert outbox.put(*(notice(number) for number in range(1, 7))) == 0
        assert outbox.recall("journal") == "19"


@pytest.mark.usefixtures("_impatient")
def test_an_outbox_that_can_not_even_be_opened_works_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with closing(Outbox(tmp_path / "file" / "o.sqlite", ("telegram",))) as outbox:
        outbox.put(notice(1))
        assert ids(outbox) == ["n1"]
        assert "cannot be used" in outbox.trouble


def test_a_broken_file_is_put_aside_and_said(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    with closing(Outbox(path, ("telegram",))) as outbox:
        outbox.put(notice(1))
        assert ids(outbox) == ["n1"]
        assert "was broken and lies in o.sqlite.broken" in outbox.trouble
    with closing(Outbox(path, ("telegram",))) as outbox:
        assert (ids(outbox), outbox.trouble) == (["n1"], "")


def test_ten_thousand_notices_stay_within_the_bound_and_the_budget(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", ("telegram",), bound=300)) as outbox:
        carrier, now = Carrier(), NOW
        for batch in range(0, 10_000, 500):
            outbox.put(*(notice(n, (C, P, P, S)[n % 4], f"t{n % 13}") for n in range(batch, batch + 500)))
            now += 600
            while isinstance(
                chosen := advance(Rule(), outbox.state("telegram", now), outbox.waiting("telegram"), now), Bundle
            ):
                deliver(outbox, carrier, chosen, Letter(title="t"), partial(float, now))
        assert 20 < len(carrier.letters) <= 40
        assert len(outbox.waiting("telegram")) <= 300
        assert math.isfinite(chosen)
