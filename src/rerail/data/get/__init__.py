"""Corpora from Debian packages, put into LJSpeech layout: 16 kHz mono, decoded at most once, with their licence."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rerail.core.extras import need
from rerail.data import labels, ljspeech
from rerail.data.clip import Clip
from rerail.data.draft import draft, refuse_taken, scratch
from rerail.data.facts import Facts
from rerail.data.get.corpora import CORPORA, Corpus
from rerail.data.get.packages import Store, unpack
from rerail.data.lay import LABELS, carried, write_left_out
from rerail.data.listing import LeftOut, Listing, flat
from rerail.data.pairs import lists
from rerail.data.pairs.pair import Pair
from rerail.data.progress import Named

SAMPLE_RATE, PICTURES = 16000, "pictures"


def cache_folder() -> Path:
    """Return where packages are kept: `RERAIL_CACHE`, or `~/.cache/rerail`."""
    return Path(os.environ.get("RERAIL_CACHE") or Path.home() / ".cache" / "rerail")


def get(name: str, target: Path, cache: Path, progress: Named, *, pictures: bool = False) -> Listing:
    """Fetch a corpus by its name in `CORPORA` and put it into `target`; return what is in it and what was left out.

    A package that is in the cache whole is not fetched again. `target` is there complete or not at all. With
    `pictures`, only clips that have a picture are in it, with the pictures and a list of pairs.

    Raises:
        ValueError: where a package cannot be had, `target` is taken, or there are no pictures.
    """
    corpus = CORPORA[name]
    if pictures and not corpus.pictures:
        raise ValueError(
            f"pictures: {name} has none; known: {', '.join(one for one in CORPORA if CORPORA[one].pictures)}"
        )
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
        listing = _laid(corpus, unpacked, folder, progress, pictures=pictures)
        _papers(name, corpus, unpacked, folder)
        write_left_out(folder, listing.left_out)
    return listing


def _laid(corpus: Corpus, unpacked: Path, folder: Path, progress: Named, *, pictures: bool) -> Listing:
    found = corpus.read(unpacked / corpus.root).within(corpus.language, "")
    pairs = dict[str, Pair]()
    if pictures and corpus.pictures:
        pairing = corpus.pictures(unpacked / corpus.root, found)
        pairs = {one.id: one for one in pairing.pairs}
        clips_with = tuple(clip for clip in found.clips if clip.id in pairs)
        found = Listing(clips=clips_with, left_out=(*found.left_out, *pairing.left_out))
    clips, odd = list[Clip](), list(found.left_out)
    for number, clip in enumerate(found.clips, 1):
        try:
            clips.append(carried(clip, folder, SAMPLE_RATE))
        except ValueError as error:
            odd.append(LeftOut(id=clip.id, kind="unreadable", reason=str(error)))
        progress("recordings", number, len(found.clips))
    ljspeech.write(folder / ljspeech.METADATA, clips)
    if pairs:
        _lay_pictures([replace(pairs[clip.id], audio=clip.path) for clip in clips], unpacked / corpus.root, folder)
    for clip_id, path in labels.found(unpacked / corpus.root).items():
        (folder / LABELS).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / LABELS / f"{clip_id}.lab")
    return Listing(clips=tuple(clips), left_out=tuple(odd))


def _lay_pictures(pairs: Sequence[Pair], root: Path, folder: Path) -> None:
    """Copy each picture once, as it is, and list the pairs."""
    (folder / PICTURES).mkdir()
    places = {one.image: folder / PICTURES / f"{flat(one.image, root)}{one.image.suffix}" for one in pairs}
    for source, place in places.items():
        shutil.copyfile(source, place)
    lists.write(folder / lists.NAME, [replace(one, image=places[one.image]) for one in pairs])


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
