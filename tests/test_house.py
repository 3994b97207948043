"""The house itself: what is documented is there, and the traps that others fell into are not."""

from __future__ import annotations

import re
from pathlib import Path

import rerail
from rerail.core.advice import RULES
from rerail.core.plans import default_plan
from rerail.core.told import GOOD, TOLD

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_no_number_is_edited_to_look_finite() -> None:
    forbidden = re.compile(r"\bnan_to_num\s*\(|except Exception:\s*(pass|continue)\b|except:\s")
    found = [path.name for path in SOURCES if forbidden.search(path.read_text(encoding="utf8"))]
    assert len(SOURCES) > 50
    assert found == []


def test_every_record_kind_that_is_written_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/journal.md").read_text(encoding="utf8"), re.MULTILINE))
    written = set(re.findall(r'_journal\.write\(\s*"(\w+)"', "".join(p.read_text(encoding="utf8") for p in SOURCES)))
    assert written
    assert written <= documented


def test_every_finding_code_has_words_and_an_answer() -> None:
    from rerail.tell import phrases  # noqa: PLC0415 (beside its only use)

    beliefs = [*(ROOT / "src/rerail/core/detectors").glob("*.py"), *(ROOT / "src/rerail/tasks").glob("*/plan.py")]
    sources = "".join(path.read_text(encoding="utf8") for path in beliefs)
    codes = set(re.findall(r'"([a-z]+(?:\.[a-z]+)+)"', sources)) | {
        *(f"nonfinite.{kind}" for kind in ("weights", "loss", "gradient")),
        *(f"update.{kind}" for kind in ("small", "large")),
    }
    assert codes >= {"nonfinite.input", "loss.spike", "loss.outlier", "gradient.explosion", "scale.overflow"}
    assert all(phrases.meaning(code) for code in codes)
    assert all("was found in" not in phrases.seen({"code": code, "signal": "a/b"}) for code in codes)
    assert codes - GOOD == set(RULES)  # there is advice for every one that is no good news
    unanswered = {code for code in codes if not default_plan().ladder(code)}
    assert unanswered == TOLD


def test_the_base_install_is_small() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf8")
    (base,) = re.findall(r"^dependencies = \[(.*)\]$", text, re.MULTILINE)
    names = {re.match(r"[\w-]+", one.strip(' "')).group() for one in base.split(",")}  # type: ignore[union-attr]
    assert names == {"torch", "numpy", "rich", "jsonargparse", "PyYAML", "filelock"}


def test_the_version_is_told() -> None:
    assert rerail.__version__ == "0.1.0"
