"""What a report of a long run weighs and costs: bench/report.py [--steps 10000] [--signals 40].

A journal of made-up curves with ten interventions, ten pictures and ten sounds is written once; the report is made from
it several times. Prints the bytes of the page and the seconds that writing it took, without the imports, as medians.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rerail.core.artifact import Picture
from rerail.tell import report
from rerail.tell.artifacts import draw

RATE, SECONDS = 22_050, 3
KEPT = 10  # pictures, sounds and interventions


def names(signals: int) -> list[str]:
    """As a run has them: a few losses, a few metrics, norms of modules, ratios, and what is left."""
    kinds = [("loss", 8), ("grad/norm", 10), ("update/ratio", 10), ("weight/norm", 6), ("act/rms", signals)]
    return [f"{kind}/part{place}" for kind, amount in kinds for place in range(amount)][: signals - 2]


def records(steps: int, signals: int) -> Iterator[dict[str, Any]]:
    """The journal, oldest record first."""
    noise, kept = random.Random(0), steps // KEPT  # noqa: S311
    yield {"kind": "note", "tick": 0, "text": "start", "data": {"config": {"seed": 0}, "environment": {"cores": 2}}}
    for tick in range(1, steps + 1):
        fade = math.exp(-4 * tick / steps)
        values: dict[str, object] = {name: (0.1 + fade) * noise.lognormvariate(0, 0.2) for name in names(signals)}
        values |= {"step": tick - tick // kept, "lr": 1e-3 * fade}
        values |= {"loss/part0": "nan"} if tick % kept == 0 else {}
        yield {"kind": "reading", "tick": tick, "values": values}
        if tick % kept == 0:
            finding = {"code": "nonfinite.loss", "signal": "loss/part0", "evidence": {"loss/part0": "nan"}}
            yield {"kind": "verdict", "tick": tick, "move": "SKIP", "knobs": {}, "findings": [finding]}
            for name, end, media in (("alignment", "png", "image/png"), ("speech", "wav", "audio/wav")):
                file = {"name": name, "path": f"{name}-{tick}.{end}", "media": media, "caption": name}
                yield {"kind": "artifact", "tick": tick, "step": tick, **file}


def write(folder: Path, steps: int, signals: int) -> None:
    """The folder of such a run."""
    made = [{"v": 1, "time": 1e9 + place / 50, **record} for place, record in enumerate(records(steps, signals))]
    (folder / "journal.jsonl").write_text("".join(json.dumps(one) + "\n" for one in made), encoding="utf-8")
    for one in (record for record in made if record["kind"] == "artifact"):
        keep = picture if one["media"] == "image/png" else sound
        keep(folder / one["path"], one["tick"] / steps)


def picture(path: Path, share: float) -> None:
    """An alignment that becomes sharper."""
    values = [[math.exp(-(((n - t / 3) * (0.1 + share)) ** 2)) for t in range(180)] for n in range(60)]
    path.write_bytes(draw(Picture(values=values, caption="", x="frames", y="symbols")))


def sound(path: Path, share: float) -> None:
    """Three seconds of noise, 16 bit, mono."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(random.Random(share).randbytes(2 * RATE * SECONDS))  # noqa: S311


def main() -> None:
    """Write the run, then its report several times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--signals", type=int, default=40)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, took, worked = Path(name), list[float](), list[float]()
        write(folder, given.steps, given.signals)
        report.write(folder)  # what is made once and kept
        for _ in range(given.times):
            began, before = time.perf_counter(), time.process_time()
            page = report.write(folder)
            took.append(time.perf_counter() - began)
            worked.append(time.process_time() - before)
        size = page.stat().st_size / 1e6
    seconds = f"{statistics.median(took):.1f} s ({statistics.median(worked):.1f} s of the processor)"
    print(f"{given.steps} steps, {given.signals} signals: {size:.2f} MB in {seconds}")


if __name__ == "__main__":
    main()
