"""Fetch a speech corpus from Debian's packages: rerail data get NAME [--to DIR] [--pictures].

Names: festvox-ru, asterisk-en, -es, -fr, -it, -ru, tuxpaint, sphinx-en. Packages are fetched by `apt-get download` and
unpacked into files; nothing is installed, and no root is needed. They stay in the cache (~/.cache/rerail, or --cache,
or RERAIL_CACHE), so that a second call fetches nothing again. What was left out is in DIR/left-out.tsv.
With --pictures (tuxpaint) DIR holds the clips that describe a picture, the pictures, and pairs.csv.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from rerail.cli.data.bars import bars
from rerail.data.get import cache_folder, get
from rerail.data.get.corpora import CORPORA
from rerail.data.pairs import lists
from rerail.tell import fields, printed


def fill(parser: ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("name", type=str, help=f"corpus: {', '.join(CORPORA)}")
    parser.add_argument("--to", type=str, default="", help="folder for the corpus; it must be new (default: data/NAME)")
    parser.add_argument("--cache", type=str, default="", help="folder that keeps packages (default: ~/.cache/rerail)")
    parser.add_argument("--pictures", action="store_true", help="with the pictures that the clips describe, as pairs")


def run(arguments: Namespace) -> int:
    """Fetch it; say what it is and under which licence."""
    name = arguments.name
    if name not in CORPORA:
        raise ValueError(f"unknown corpus {name!r}; known: {', '.join(CORPORA)}")
    target, cache = Path(arguments.to or f"data/{name}"), Path(arguments.cache or cache_folder()).expanduser()
    corpus = CORPORA[name]
    printed.text(f"{name}: {corpus.about}\nlicence: {corpus.licence}\ncredit: {corpus.credit}")
    with bars() as progress:
        listing = get(name, target, cache, progress, pictures=arguments.pictures)
    left = f"{fields.count(len(listing.left_out), 'file')} left out, named in {target / 'left-out.tsv'}"
    paired = f", with their pictures in {lists.NAME}" if arguments.pictures else ""
    following = "" if arguments.pictures else f"\nnext: rerail data prepare {target} --to DIR"
    printed.text(f"{len(listing.clips)} clips in {target}{paired}; {left}{following}")
    return 0
