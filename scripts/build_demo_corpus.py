"""Build the embedded demo corpus from two unpacked Debian packages.

    apt-get download asterisk-core-sounds-en asterisk-core-sounds-en-g722
    for f in *.deb; do dpkg -x $f unpacked; done
    python scripts/build_demo_corpus.py unpacked src/rerail/data/demo

Picks clips of 1.5 to 4 seconds whose length fits their text, and writes them as 16 kHz mono FLAC in LJSpeech layout.
Needs: pip install av soundfile numpy
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
import soundfile

CLIPS, SECONDS, MISFIT, ALIKE = 64, (1.5, 4.0), 0.25, 0.7
Row: TypeAlias = tuple[str, str, np.ndarray]


def transcripts(package: Path) -> dict[str, str]:
    """Read `name: text` lines; leave out tones (in brackets) and texts with digits or odd characters."""
    lines = gzip.decompress(package.read_bytes()).decode().splitlines()
    pairs = (line.split(": ", 1) for line in lines if ": " in line and not line.startswith(";"))
    return {name: text.strip() for name, text in pairs if re.fullmatch(r"[A-Za-z' ,.!?-]+", text.strip())}


def decode(path: Path) -> np.ndarray:
    """Decode G.722 to samples at 16 kHz in [-1, 1]."""
    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.float32) / 32768


def fitting(rows: list[Row]) -> list[Row]:
    """Drop rows whose seconds do not fit `a + b * characters`: their transcripts are wrong."""
    seconds = np.array([len(samples) / 16000 for _, _, samples in rows])
    slope, start = np.polyfit([len(text) for _, text, _ in rows], seconds, 1)
    expected = np.array([start + slope * len(text) for _, text, _ in rows])
    return [row for row, off in zip(rows, np.abs(seconds / expected - 1), strict=True) if off <= MISFIT]


def distinct(rows: list[Row]) -> list[Row]:
    """Drop rows that share more than `ALIKE` of their words with one before them."""
    kept: list[tuple[set[str], Row]] = []
    for row in rows:
        words = set(re.findall(r"[a-z']+", row[1].lower()))
        if all(len(words & other) / len(words | other) <= ALIKE for other, _ in kept):
            kept.append((words, row))
    return [row for _, row in kept]


def main() -> None:
    """Build the corpus."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    sounds = source / "usr/share/asterisk/sounds/en_US_f_Allison"
    texts = transcripts(source / "usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
    found = [(name, text, sounds / f"{name}.g722") for name, text in texts.items()]
    rows = fitting([(name, text, decode(path)) for name, text, path in found if path.exists()])
    low, high = SECONDS
    rows = [row for row in rows if low <= len(row[2]) / 16000 <= high]
    chosen = distinct(sorted(rows, key=lambda row: -len(row[1]) / len(row[2])))[:CLIPS]
    (target / "wavs").mkdir(parents=True, exist_ok=True)
    with (target / "metadata.csv").open("w", encoding="utf8") as metadata:
        for name, text, samples in sorted(chosen, key=lambda row: row[0]):
            soundfile.write(target / "wavs" / f"{name.replace('/', '_')}.flac", samples, 16000, subtype="PCM_16")
            metadata.write(f"{name.replace('/', '_')}|{text}\n")
    print(f"{len(rows)} clips fit, {len(chosen)} chosen")


if __name__ == "__main__":
    main()
