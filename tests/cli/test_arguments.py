from __future__ import annotations

from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from rerail.cli.arguments import add_config, configs
from rerail.fit import FitConfig
from rerail.tasks.xtts.settings import XttsConfig


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ([], (False, True)),
        (["--find-batch"], (True, True)),
        (["--find-batch", "--guide-moves", "false"], (True, False)),
        (["--find-batch", "false", "--guide-moves"], (False, True)),
        (["--find-batch=true", "--guide-moves=false"], (True, False)),
        (["--config", "FILE"], (True, False)),
        (["--config", "FILE", "--guide-moves"], (True, True)),
    ],
)
def test_a_switch_needs_no_value_and_may_have_one(
    typed: list[str], expected: tuple[bool, bool], tmp_path: Path
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("find_batch: true\nguide_moves: false\n")
    parser = ArgumentParser(exit_on_error=False)
    add_config(parser, (XttsConfig, FitConfig))
    given = parser.parse_args([str(file) if one == "FILE" else one for one in ["--data", "clips", *typed]])
    config, fit = configs(given, (XttsConfig, FitConfig))
    assert (fit.find_batch, config.guide_moves) == expected
