"""Debian packages as plain files: found in apt's index, fetched into a cache, verified, unpacked. None is installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rerail.data.draft import scratch
from rerail.data.progress import Named

CHUNK = 1 << 20
POLL = 0.2  # seconds between two looks at a download's size


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One version of a package. `pool` is its path below a Debian archive's root; `size` in bytes."""

    name: str
    version: str
    pool: str
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        """The name of its file."""
        return self.pool.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Package files in `folder`, and the means to get more: apt, with an index of our own where the system has none."""

    folder: Path

    def fetch(self, known: Package, progress: Named) -> Path:
        """Return the verified file of a package, downloaded unless it is here already.

        `known` is the version that is asked for where apt is missing.

        Raises:
            ValueError: where it cannot be had, saying how to get it by hand.
        """
        if self._here(known):
            return self.folder / known.filename
        if shutil.which("apt-get") is None or shutil.which("apt-cache") is None:
            raise ValueError(self._by_hand(known, "apt-get is not here"))
        package = self._indexed(known)
        return self.folder / package.filename if self._here(package) else self._download(package, progress)

    def _indexed(self, known: Package) -> Package:
        if found := self._shown(known.name):
            return found
        updated = self._run("apt-get", "update")  # an index below the cache: the system's own is left alone
        if found := self._shown(known.name):
            return found
        raise ValueError(self._by_hand(known, f"apt knows no package {known.name} ({_last_line(updated)})"))

    def _shown(self, name: str) -> Package | None:
        answer = self._run("apt-cache", "show", "--no-all-versions", name)
        fields = dict(one.split(": ", 1) for one in answer.stdout.splitlines() if ": " in one and one[0] != " ")
        if answer.returncode or not {"Version", "Filename", "Size", "SHA256"} <= fields.keys():
            return None
        version, pool, size, sha256 = (fields[one] for one in ("Version", "Filename", "Size", "SHA256"))
        return Package(name=name, version=version, pool=pool, size=int(size), sha256=sha256)

    def _download(self, package: Package, progress: Named) -> Path:
        with scratch(self.folder, f".{package.name}.") as folder:
            answer = self._loaded(package, folder, progress)
            if answer.returncode and self._run("apt-get", "update").returncode == 0:  # the index may name an old file
                answer = self._loaded(package, folder, progress)
            files = list(folder.glob("*.deb"))
            if answer.returncode or not files:
                raise ValueError(self._by_hand(package, f"apt-get download failed ({_last_line(answer)})"))
            if (got := checksum(files[0])) != package.sha256:
                told = f"{package.filename}: SHA256 is {got}, apt's index says {package.sha256}"
                raise ValueError(f"{told}; nothing was unpacked; run `apt-get update` and try again")
            files[0].replace(self.folder / package.filename)
        return self.folder / package.filename

    def _loaded(self, package: Package, folder: Path, progress: Named) -> subprocess.CompletedProcess[str]:
        command = ["apt-get", *self._options(), "download", f"{package.name}={package.version}"]
        with subprocess.Popen(  # noqa: S603 - a program of the system, named here
            command, cwd=folder, env=_plain(), text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            try:
                while process.poll() is None:
                    progress(package.filename, sum(one.stat().st_size for one in folder.iterdir()), package.size)
                    _wait(process)
            finally:
                process.kill()
            errors = process.stderr.read() if process.stderr else ""
        progress(package.filename, package.size, package.size)
        return subprocess.CompletedProcess(command, process.returncode, "", errors)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [program, *self._options(private=arguments[0] == "update"), *arguments]
        return _ran(command)

    def _options(self, *, private: bool = False) -> Sequence[str]:
        """Keep apt's own caches out of the system's folders; use the index of our own where there is one."""
        index, none = self.folder / "apt-lists", ("-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=")
        if private:
            (index / "partial").mkdir(parents=True, exist_ok=True)
        own = private or any(index.glob("*_Packages*"))
        return (*none, "-o", f"Dir::State::Lists={index.resolve()}") if own else none

    def _here(self, package: Package) -> bool:
        path = self.folder / package.filename
        return path.is_file() and path.stat().st_size == package.size and checksum(path) == package.sha256

    def _by_hand(self, package: Package, why: str) -> str:
        where = f"download {package.filename} ({package.size / 1e6:.1f} MB), {package.pool} on any Debian mirror"
        lines = (
            f"{package.name}: {why}; get the package by hand:",
            "with apt: run `apt-get update`, then this command again (Debian 12 has it, section main)",
            f"without: {where}, put it into {self.folder}, then run this command again",
            f"it is {package.name} {package.version}, SHA256 {package.sha256}",
        )
        return "\n  ".join(lines)


def unpack(package: Path, folder: Path) -> None:
    """Unpack a package's files into a folder; its scripts are not run.

    Raises:
        ValueError: where dpkg-deb is missing, or the file is no package.
    """
    if shutil.which("dpkg-deb") is None:
        raise ValueError(f"{package.name}: dpkg-deb is not here, and unpacks Debian packages; install dpkg")
    answer = _ran(["dpkg-deb", "-x", str(package), str(folder)])
    if answer.returncode:
        raise ValueError(f"{package}: cannot be unpacked ({_last_line(answer)}); remove it and try again")


def checksum(path: Path) -> str:
    """Return a file's SHA256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _ran(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    # Programs of the system, each named where this is called.
    return subprocess.run(command, env=_plain(), text=True, capture_output=True, check=False)  # noqa: S603


def _wait(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(POLL)
    except subprocess.TimeoutExpired:
        return  # still at work


def _plain() -> Mapping[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8"}  # messages and field names in English


def _last_line(answer: subprocess.CompletedProcess[str]) -> str:
    return next(iter(reversed(answer.stderr.strip().splitlines())), f"exit code {answer.returncode}")
