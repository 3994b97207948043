from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

import small_corpora
from rerail.audio import files
from rerail.data import ljspeech
from rerail.data.get import cache_folder, get
from rerail.data.get.corpora import CORPORA, Corpus
from rerail.data.get.packages import Package
from rerail.data.pairs import lists
from rerail.data.readers import READERS, Reader, tuxpaint

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")


def quiet(_: str, __: int, ___: int) -> None:
    """Hear of progress and say nothing."""


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], object], Reader], Path]:
    """Offer a corpus `tiny` whose package lies in the cache already, as without a network."""

    def offer(build: Callable[[Path], object], read: Reader) -> Path:
        content, store = tmp_path / "content", tmp_path / "cache/packages"
        build(content / "usr/share/clips")
        (content / "usr/share/doc/tiny").mkdir(parents=True)
        (content / "usr/share/doc/tiny/copyright").write_text("All rights given.\n")
        store.mkdir(parents=True)
        built = small_corpora.deb("tiny", content, store)
        shutil.rmtree(store / "tiny-root")
        sha256 = hashlib.sha256(built.read_bytes()).hexdigest()
        package = Package(name="tiny", version="1.0", pool=built.name, size=built.stat().st_size, sha256=sha256)
        about = {"about": "clips", "licence": "CC0", "credit": "Ana", "root": "usr/share/clips"}
        monkeypatch.setitem(CORPORA, "tiny", Corpus(packages=(package,), read=read, **about))  # type: ignore[arg-type, misc]
        return tmp_path / "cache"

    return offer


def test_plain_recordings_keep_their_bytes_and_labels_come_along(tmp_path: Path, offered: Callable[..., Path]) -> None:
    cache = offered(lambda folder: small_corpora.festvox(folder / "msu_ru_nsh_clunits"), READERS["festvox"])
    listing = get("tiny", tmp_path / "out", cache, quiet)
    clips = ljspeech.read(tmp_path / "out")
    assert [(one.id, one.text, one.speaker, one.language) for one in clips] == [
        (one.id, one.text, "nsh", "ru") for one in small_corpora.CLIPS[:4]
    ]
    assert len(listing.clips) == 4
    voice = tmp_path / "content/usr/share/clips/msu_ru_nsh_clunits"
    for clip in clips:
        assert clip.path.read_bytes() == (voice / f"wav/{clip.id}.wav").read_bytes()
        assert (tmp_path / f"out/lab/{clip.id}.lab").read_bytes() == (voice / f"lab/{clip.id}.lab").read_bytes()
    assert {one.name for one in cache.iterdir()} == {"packages"}  # nothing unpacked stays behind


def test_other_recordings_are_decoded_once_to_sixteen_bits(tmp_path: Path, offered: Callable[..., Path]) -> None:
    cache = offered(small_corpora.tuxpaint, READERS["tuxpaint"])
    listing = get("tiny", tmp_path / "out", cache, quiet)
    (clip,) = ljspeech.read(tmp_path / "out")
    info = soundfile.info(clip.path)
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("FLAC", "PCM_16", 16000, 1)
    source = tmp_path / "content/usr/share/clips/town/docks_desc_es.ogg"
    assert (files.read(clip.path, 16000) - files.read(source, 16000, resample=True)).abs().max() < 2**-15
    left = (tmp_path / "out/left-out.tsv").read_text()
    assert left.count("\n") == 1 + len(listing.left_out) == 4
    assert "town_docks_desc_fr\ttext\tits text was not translated to fr" in left


def test_pictures_come_with_the_clips_that_describe_them_and_a_list(
    tmp_path: Path, offered: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = offered(small_corpora.stamps, READERS["tuxpaint"])
    with pytest.raises(ValueError, match="pictures: tiny has none; known: tuxpaint"):
        get("tiny", tmp_path / "out", cache, quiet, pictures=True)
    monkeypatch.setitem(CORPORA, "tiny", replace(CORPORA["tiny"], pictures=tuxpaint.pictures))  # type: ignore[misc]
    listing = get("tiny", tmp_path / "out", cache, quiet, pictures=True)
    pairs = lists.read(tmp_path / "out").pairs
    assert [one.id for one in listing.clips] == [one.id for one in pairs]
    assert {one.identity for one in pairs} == {"town_boat+town_ship", "town_car"}
    stamps = tmp_path / "content/usr/share/clips/town"
    for one in pairs:
        assert one.image.read_bytes() == (stamps / one.image.name.removeprefix("town_")).read_bytes()
        assert one.image.parent == tmp_path / "out/pictures"
        assert soundfile.info(one.audio).samplerate == 16000
    assert "town_docks_desc_es\tno picture" in (tmp_path / "out/left-out.tsv").read_text()
    assert (tmp_path / "out/LICENSE").is_file()


def test_licence_and_credit_stand_beside_the_clips(tmp_path: Path, offered: Callable[..., Path]) -> None:
    cache = offered(small_corpora.tuxpaint, READERS["tuxpaint"])
    get("tiny", tmp_path / "out", cache, quiet)
    assert (tmp_path / "out/LICENSE").read_text() == "All rights given.\n"
    written = (tmp_path / "out/CREDITS.md").read_text()
    assert "Ana" in written
    assert "Licence: CC0" in written
    assert "Debian: tiny 1.0" in written


def test_an_interrupted_call_leaves_nothing_and_the_next_one_is_whole(
    tmp_path: Path, offered: Callable[..., Path]
) -> None:
    cache = offered(small_corpora.sphinx, READERS["sphinx"])

    def interrupt(name: str, done: int, _: int) -> None:
        if name == "recordings" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get("tiny", tmp_path / "out", cache, interrupt)
    assert not (tmp_path / "out").exists()
    assert {one.name for one in cache.iterdir()} == {"packages"}
    assert len(get("tiny", tmp_path / "out", cache, quiet).clips) == 4
    with pytest.raises(ValueError, match="is there already; nothing was overwritten"):
        get("tiny", tmp_path / "out", cache, quiet)


def test_the_cache_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RERAIL_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("RERAIL_CACHE")
    assert cache_folder() == Path.home() / ".cache/rerail"


def test_every_corpus_has_its_terms_and_its_packages() -> None:
    for name, corpus in CORPORA.items():
        assert corpus.licence, name
        assert corpus.credit, name
        for one in corpus.packages:
            assert len(one.sha256) == 64
            assert one.filename.startswith(f"{one.name}_{one.version}")
            assert one.pool.startswith("pool/main/")
