"""The command line: one subcommand a file, no logic.

Exit codes: 0 done, 1 unexpected failure, or the doctor found a fault, no plan is quiet, or a message did not arrive,
2 wrong input (nothing was overwritten), 3 the run was halted, or no recovery passed its trial, 130 stopped.
"""

from __future__ import annotations

import sys
from argparse import ArgumentError
from collections.abc import Sequence

from jsonargparse import ArgumentParser

from rerail._version import __version__
from rerail.cli import (
    calibrate,
    check,
    compare,
    config,
    data,
    demo,
    doctor,
    evaluate,
    explain,
    export,
    index,
    match,
    notify,
    quarantine,
    recover,
    replay,
    report,
    search,
    serve,
    synthesize,
    table,
    train,
    watch,
)
from rerail.cli.arguments import dashed, with_own_settings, with_presets

COMMANDS = {
    "demo": demo,
    "doctor": doctor,
    "check": check,
    "config": config,
    "data": data,
    "train": train,
    "recover": recover,
    "evaluate": evaluate,
    "synthesize": synthesize,
    "match": match,
    "index": index,
    "search": search,
    "export": export,
    "watch": watch,
    "serve": serve,
    "report": report,
    "compare": compare,
    "explain": explain,
    "table": table,
    "replay": replay,
    "calibrate": calibrate,
    "quarantine": quarantine,
    "notify": notify,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    parser = ArgumentParser(
        prog="rerail",
        description="Keep PyTorch training runs alive and converging.",
        version=__version__,
        exit_on_error=False,
    )
    commands = parser.add_subcommands()
    for name, module in COMMANDS.items():
        described = ArgumentParser(description=module.__doc__, exit_on_error=False)
        commands.add_subcommand(name, described, help=(module.__doc__ or "").splitlines()[0])
        module.fill(described)
    try:
        given = [dashed(one) for one in (sys.argv[1:] if argv is None else argv)]
        train.refuse_cut_short_flags(given)
        arguments = parser.parse_args(with_presets(with_own_settings(given)))
        return int(COMMANDS[arguments.subcommand].run(arguments[arguments.subcommand]))
    except (ValueError, ArgumentError, ModuleNotFoundError) as error:
        sys.stderr.write(f"rerail: {error}\n")
        return 2
    except KeyboardInterrupt:  # while the loop runs, the loop itself stops well; this is before or after it
        sys.stderr.write("rerail: stopped\n")
        return 130
