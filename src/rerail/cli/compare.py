"""Compare runs like with like: rerail compare RUN RUN... [--at steps=1000] [--reach eval/mel=0.8] [--html FILE].

Runs whose settings differ by the seed alone are one group. The tables say what differs, where the groups stand at equal
steps, samples and time, what it took them to reach a value, and at which step two runs part. What must not be ranked is
named with the reason: totals of other weights, losses of other targets, metrics of other held-out samples.
docs/comparison.md says how to read them.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.arguments import taken
from rerail.saved import set_aside
from rerail.tell import compare, page, printed
from rerail.tell.compare import asked, spreadsheet
from rerail.tell.compare.page import text
from rerail.tell.compare.tables import tables

AT = "where to compare, as steps=1000, samples=16000 or time=60 (seconds); default: where the shortest run ends"
REACH = "values to reach, as eval/mel=0.8; default: what the worst run ends with"
ONLY = "signals to show, as loss/mel or 'eval/*'; default: all"


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("runs", type=str, nargs="+", help="folders of the runs")
    parser.add_argument("--at", type=str, nargs="+", default=[], help=AT)
    parser.add_argument("--reach", type=str, nargs="+", default=[], help=REACH)
    parser.add_argument("--only", type=str, nargs="+", default=[], help=ONLY)
    parser.add_argument("--html", type=str, default="", help="page to write; it must be new")
    parser.add_argument("--csv", type=str, default="", help="CSV file to write, one number a line; it must be new")
    parser.add_argument("--force", action="store_true", help="write over files of --html and --csv that are there")


def run(arguments: Namespace) -> int:
    """Print the tables; write the files that are asked for."""
    folders, files = [Path(one) for one in arguments.runs], {"--html": arguments.html, "--csv": arguments.csv}
    wanted, wrong = asked.parsed(arguments.at, arguments.reach, arguments.only)
    wrong += compare.folder_problems(folders)
    wrong += [one for flag, given in files.items() if (one := taken(given, flag, force=arguments.force))]
    if wrong:
        raise ValueError("\n  ".join([f"{len(wrong)} problem(s)", *wrong]))
    told = compare.compare(compare.read(folders, {one: set_aside(one) for one in folders}), wanted)
    for table in tables(told):
        printed.text("\n" + f"{table.title}. {table.about}".strip())
        printed.table(table.headings, table.rows)
        if table.remark:
            printed.text(table.remark)
    for given, say in ((arguments.html, text), (arguments.csv, spreadsheet.text)):
        if given:
            printed.text(f"written: {page.replace(Path(given), say(told))}")
    return 0
