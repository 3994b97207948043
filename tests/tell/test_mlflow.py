from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rerail.tell import journal
from rerail.tell.journal import Journal
from rerail.tell.listeners import Listeners
from rerail.tell.mlflow import MLflow, key

pytest.importorskip("mlflow", reason='pip install "rerail[mlflow]"')
pytestmark = pytest.mark.filterwarnings("ignore")  # of a library that we do not change

TOKEN = "a-token-that-nobody-may-see"  # noqa: S105 (of the server below)


class Tracking(ThreadingHTTPServer):
    """As much of a tracking server as MLflow's REST API documents for experiments and runs; artifacts are files."""

    daemon_threads = True

    def __init__(self, artifacts: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.artifacts = artifacts
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.batches: list[dict[str, Any]] = []
        self.authorised: set[str | None] = set()
        self.broken = False

    def answer(self, call: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.broken:
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": f"no, {TOKEN}"}
        return getattr(self, call.replace("/", "_").replace("-", "_"))(given)

    def experiments_get_by_name(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = given["experiment_name"]
        if name not in self.experiments:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"no experiment {name}"}
        return 200, {"experiment": {"experiment_id": self.experiments[name], "name": name, "lifecycle_stage": "active"}}

    def experiments_create(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.experiments[given["name"]] = str(len(self.experiments) + 1)
        return 200, {"experiment_id": self.experiments[given["name"]]}

    def runs_create(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        name = f"{len(self.runs) + 1:032x}"
        info = {"run_id": name, "run_uuid": name, "run_name": given["run_name"], "status": "RUNNING"}
        info |= {"experiment_id": given["experiment_id"], "lifecycle_stage": "active", "start_time": 0}
        self.runs[name] = {
            "info": info | {"artifact_uri": (self.artifacts / name).as_uri()},
            "data": {"tags": given["tags"]},
        }
        return 200, {"run": self.runs[name]}

    def runs_get(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"run": self.runs[given["run_id"]]}

    def runs_search(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        value = given["filter"].split("'")[1]
        found = [run for run in self.runs.values() if value in [tag["value"] for tag in run["data"]["tags"]]]
        return 200, {"runs": found}

    def runs_log_batch(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.batches.append(given)
        return 200, {}

    def runs_update(self, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        run = self.runs[given["run_id"]]
        run["info"] |= {name: given[name] for name in ("status", "end_time") if name in given}
        return 200, {"run_info": run["info"]}

    def all(self, what: str) -> list[dict[str, Any]]:
        return [one for batch in self.batches for one in batch.get(what, [])]


class _Answers(BaseHTTPRequestHandler):
    server: Tracking

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        self.server.authorised.add(self.headers["Authorization"])
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        given = json.loads(body) if body else dict(pair.split("=") for pair in query.split("&"))
        status, answer = self.server.answer(path.partition("/mlflow/")[2], given)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracking]:
    with Tracking(tmp_path / "server") as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
        monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        yield server
        server.shutdown()


def tell(run: Path, records: Iterable[dict[str, Any]]) -> None:
    with closing(MLflow("speech", run=run)) as service:
        for record in records:
            service(record)


def test_a_run_arrives_whole(server: Tracking, realistic_run: Path) -> None:
    records = list(journal.read(realistic_run))
    tell(realistic_run, records)
    read = [record for record in records if record["kind"] == "reading"]
    losses = [metric for metric in server.all("metrics") if metric["key"] == "loss/mel"]
    assert [metric["step"] for metric in losses] == [record["tick"] for record in read]
    assert [float(one["value"]) for one in losses] == pytest.approx(
        [float(record["values"]["loss/mel"]) for record in read], abs=0, rel=0, nan_ok=True
    )
    assert math.isnan(float(losses[60]["value"]))
    assert max(len(batch.get("metrics", ())) for batch in server.batches) <= 1000
    assert {one["key"]: one["value"] for one in server.all("params")} == {
        "seed": "3",
        "task": "tacotron2",
        "optimizer.name": "AdamW",
        "optimizer.lr": "0.001",
        "weights.attention": "2.0",
    }
    ((name, run),) = server.runs.items()
    assert (run["info"]["run_name"], run["info"]["status"]) == ("first", "FINISHED")
    kept = server.artifacts / name
    for place, told in (("artifacts", "pictures/alignment-109.png"), ("artifacts", "sounds/speech.wav")):
        assert (kept / told).read_bytes() == (realistic_run / place / Path(told).name).read_bytes()
    assert "Cause, proved in 3 replays: bad data" in (kept / "events/00000061.txt").read_text()
    assert server.authorised == {f"Bearer {TOKEN}"}


def test_a_resumed_run_goes_on_in_its_place_and_a_halted_one_has_failed(
    server: Tracking, tmp_path: Path, make: Callable[..., dict[str, Any]]
) -> None:
    with closing(Journal(tmp_path)) as book:
        book.write("note", 0, text="start", data={})
    states = []
    for text, reason in (("start", "stopped"), ("resume", "halted"), ("resume", "finished")):
        tell(tmp_path, [make("note", 0, text=text, data={}), make("note", 1, text="end", data={"reason": reason})])
        states.append([run["info"]["status"] for run in server.runs.values()])
    assert states == [["KILLED"], ["FAILED"], ["FINISHED"]]


def test_a_server_that_refuses_is_journalled_without_its_token(server: Tracking, tmp_path: Path) -> None:
    server.broken = True
    with closing(Journal(tmp_path)) as book:
        listeners = Listeners(book, (MLflow("speech", run=tmp_path),))
        book.write("note", 0, text="start", data={})
        listeners.close(0)
    (_, told) = journal.read(tmp_path)
    assert told["text"] == "listener failed"
    assert told["data"]["listener"] == "MLflow"
    assert "no, [secret]" in told["data"]["error"]
    assert TOKEN not in (tmp_path / "journal.jsonl").read_text()


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("loss/mel", "loss/mel"),
        ("ошибка", "ошибка"),
        ("<b>x</b>", "_b_x_/b_"),
        ("/a//../b/.", "a/b"),
        ("..", "_"),
        ("", "_"),
        ("x" * 400, "x" * 250),
    ],
)
def test_names_are_as_mlflow_takes_them(name: str, taken: str) -> None:
    from mlflow.utils.validation import _validate_metric  # noqa: PLC0415

    assert key(name) == taken
    _validate_metric(taken, 1.0, 0, 0)
