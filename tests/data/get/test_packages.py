"""Real apt on a package archive of the test's own, in a folder; and no apt at all."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import small_corpora
from rerail.data.get.packages import Package, Store, checksum, unpack

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")
apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt")


def quiet(_: str, __: int, ___: int) -> None:
    """Hear of progress and say nothing."""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "content/usr/share/clips").mkdir(parents=True)
    (tmp_path / "content/usr/share/clips/a.txt").write_text("Words.\n")
    (tmp_path / "archive").mkdir()
    return small_corpora.deb("clips", tmp_path / "content", tmp_path / "archive")


def package(built: Path) -> Package:
    return Package(
        name="clips",
        version="1.0",
        pool=f"./{built.name}",
        size=built.stat().st_size,
        sha256=hashlib.sha256(built.read_bytes()).hexdigest(),
    )


def index(archive: Path, one: Package, **other: str) -> None:
    fields = {"Package": one.name, "Version": one.version, "Architecture": "all", "Filename": one.pool}
    fields |= {"Size": str(one.size), "SHA256": one.sha256, "Description": "clips", **other}
    (archive / "Packages").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))


@pytest.fixture
def archive(tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package archive in a folder, the only one that apt knows; what apt keeps lies in the folder too."""
    index(built.parent, package(built))
    own = tmp_path / "apt"
    for name in ("lists/partial", "cache/archives/partial", "etc"):
        (own / name).mkdir(parents=True)
    (own / "sources.list").write_text(f"deb [trusted=yes] file:{built.parent} ./\n")
    (own / "status").touch()
    settings = {
        "Dir::State": own,
        "Dir::State::status": own / "status",
        "Dir::Cache": own / "cache",
        "Dir::Etc": own / "etc",
        "Dir::Etc::sourcelist": own / "sources.list",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    (own / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    monkeypatch.setenv("APT_CONFIG", str(own / "apt.conf"))
    return built.parent


@apt
def test_a_package_is_fetched_with_an_index_of_ones_own_and_only_once(
    archive: Path, built: Path, tmp_path: Path
) -> None:
    store, told = Store(folder=tmp_path / "store"), list[tuple[str, int, int]]()
    system = sorted(str(path) for path in (tmp_path / "apt").rglob("*"))
    other = replace(package(built), sha256="0" * 64)  # the index counts, not what was known
    path = store.fetch(other, lambda *one: told.append(one))
    assert path == tmp_path / "store" / built.name
    assert path.read_bytes() == built.read_bytes()
    assert told[-1] == (built.name, package(built).size, package(built).size)
    assert sorted(str(one) for one in (tmp_path / "apt").rglob("*")) == system
    built.unlink()
    assert store.fetch(other, quiet) == path
    assert {one.name for one in store.folder.iterdir()} == {built.name, "apt-lists"}
    assert archive.is_dir()


@apt
def test_a_file_cut_short_is_fetched_again(archive: Path, built: Path, tmp_path: Path) -> None:
    store = Store(folder=tmp_path / "store")
    path = store.fetch(package(built), quiet)
    path.unlink()
    path.write_bytes(built.read_bytes()[:100])
    assert store.fetch(package(built), quiet).read_bytes() == built.read_bytes()
    assert archive.is_dir()


@apt
def test_a_file_that_is_not_what_the_index_says_is_refused(archive: Path, built: Path, tmp_path: Path) -> None:
    index(archive, replace(package(built), sha256="ab" * 32))
    with pytest.raises(ValueError, match=r"clips: apt-get download failed|SHA256 is"):
        Store(folder=tmp_path / "store").fetch(replace(package(built), sha256="1" * 64), quiet)
    assert list((tmp_path / "store").glob("*.deb")) == []


@apt
def test_a_package_that_apt_does_not_know_is_explained(archive: Path, built: Path, tmp_path: Path) -> None:
    (archive / "Packages").write_text("")
    with pytest.raises(ValueError, match="apt knows no package clips") as error:
        Store(folder=tmp_path / "store").fetch(package(built), quiet)
    assert "run `apt-get update`, then this command again" in str(error.value)


def test_without_apt_it_says_how_to_get_the_package_and_takes_it_from_there(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    store = Store(folder=tmp_path / "store")
    known = replace(package(built), pool=f"pool/main/c/clips/{built.name}")
    with pytest.raises(ValueError, match="clips: apt-get is not here") as error:
        store.fetch(known, quiet)
    message = str(error.value)
    assert f"pool/main/c/clips/{built.name} on any Debian mirror, put it into {store.folder}" in message
    assert f"it is clips 1.0, SHA256 {known.sha256}" in message
    store.folder.mkdir()
    shutil.copy(built, store.folder)
    assert store.fetch(known, quiet) == store.folder / built.name


def test_a_package_becomes_files_and_nothing_else_does(built: Path, tmp_path: Path) -> None:
    unpack(built, tmp_path / "files")
    assert (tmp_path / "files/usr/share/clips/a.txt").read_text() == "Words.\n"
    built.write_bytes(built.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"clips_1.0_all.deb: cannot be unpacked .*; remove it and try again"):
        unpack(built, tmp_path / "again")


def test_without_dpkg_it_says_what_to_install(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="dpkg-deb is not here, and unpacks Debian packages; install dpkg"):
        unpack(built, tmp_path / "files")


def test_a_checksum_is_that_of_sha256sum(built: Path) -> None:
    told = subprocess.run(["sha256sum", str(built)], check=True, capture_output=True, text=True).stdout
    assert checksum(built) == told.split()[0]
