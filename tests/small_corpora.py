"""Small corpora of every layout, made of the demo's real clips."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
from pathlib import Path

import soundfile

from rerail.data import demo, ljspeech
from rerail.data.clip import Clip

CLIPS = ljspeech.read(demo.folder())


def wav(clip: Clip, path: Path) -> Path:
    """Write a demo clip as 16-bit WAV, every bit kept."""
    samples, rate = soundfile.read(clip.path, dtype="int16")
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


def lj(folder: Path, count: int = 20, *, speaker: str = "", language: str = "") -> list[Clip]:
    """LJSpeech layout."""
    clips = [
        Clip(
            id=clip.id,
            path=wav(clip, folder / "wavs" / f"{clip.id}.wav"),
            text=clip.text,
            speaker=speaker,
            language=language,
        )
        for clip in CLIPS[:count]
    ]
    ljspeech.write(folder / "metadata.csv", clips)
    return clips


def festvox(voice: Path, count: int = 4) -> list[Clip]:
    """The festvox layout, with a label file for each clip: three phones a third of the clip each."""
    lines = []
    for clip in CLIPS[:count]:
        samples, rate = soundfile.read(wav(clip, voice / "wav" / f"{clip.id}.wav"))
        seconds = len(samples) / rate
        lab = voice / "lab" / f"{clip.id}.lab"
        lab.parent.mkdir(parents=True, exist_ok=True)
        lab.write_text("#\n" + "".join(f"{seconds * part / 3:.5f} 125 p{part}\n" for part in (1, 2, 3)))
        lines.append(f'( {clip.id} "{clip.text}" )')
    (voice / "etc").mkdir()
    (voice / "etc/txt.done.data").write_text("\n".join(lines) + "\n", encoding="utf8")
    return CLIPS[:count]


def asterisk(folder: Path, count: int = 4) -> list[Clip]:
    """Asterisk's layout as its packages unpack, with WAV in place of G.722."""
    sounds, texts = folder / "share/asterisk/sounds/en_US_f_Allison", folder / "share/doc/core/core-sounds-en.txt.gz"
    lines = ["; Core sounds", "", "beep: [this is a simple beep tone]", "letters/at: at [@]", "gone: Not there."]
    for clip in CLIPS[:count]:
        wav(clip, sounds / f"{clip.id}.wav")
        lines.append(f"{clip.id}: {clip.text}")
    for name in ("beep", "letters/at", "unnamed"):
        wav(CLIPS[count], sounds / f"{name}.wav")
    texts.parent.mkdir(parents=True)
    texts.write_bytes(gzip.compress("\n".join(lines).encode()))
    return CLIPS[:count]


def sphinx(folder: Path, count: int = 4) -> list[Clip]:
    """The layout of CMU Sphinx."""
    for clip in CLIPS[:count]:
        wav(clip, folder / "one" / f"{clip.id}.wav")
    lines = [f"<s> {clip.text.lower()}  </s> ({clip.id})" for clip in CLIPS[:count]]
    (folder / "one/one.transcription").write_text("\n".join(lines) + "\n")
    return CLIPS[:count]


def tuxpaint(folder: Path) -> None:
    """Tux Paint's layout: Vorbis in stereo at 44.1 kHz."""
    place = folder / "town"
    place.mkdir(parents=True)
    (place / "docks.txt").write_text("The docks.\nes.utf8=Los muelles.\nfr.utf8=The docks.\n", encoding="utf8")
    samples, _ = soundfile.read(CLIPS[0].path)
    for name in ("docks_desc_es", "docks_desc_fr", "docks_desc_xx", "ship_desc_es"):
        soundfile.write(place / f"{name}.ogg", [[one, one] for one in samples[:20000]], 44100)


def stamps(folder: Path) -> None:
    """Tux Paint's layout with pictures: two of one text, one of another, and one that is no PNG."""
    tuxpaint(folder)
    sound = folder / "town/docks_desc_es.ogg"
    for number, (name, text) in enumerate({"ship": "Un barco.", "boat": "¡Un barco!", "car": "Un coche."}.items()):
        (folder / f"town/{name}.txt").write_text(f"It.\nes.utf8={text}\n", encoding="utf8")
        shutil.copyfile(sound, folder / f"town/{name}_desc_es.ogg")
        (folder / f"town/{name}.png").write_bytes(b"picture %d" % number)
    (folder / "town/docks.svg").write_text("<svg/>")


def deb(name: str, content: Path, folder: Path, version: str = "1.0") -> Path:
    """Build a Debian package of a folder's files."""
    root = folder / f"{name}-root"
    shutil.copytree(content, root)
    (root / "DEBIAN").mkdir()
    control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@b.org>\nDescription: clips\n"
    (root / "DEBIAN/control").write_text(control)
    built = folder / f"{name}_{version}_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(root), str(built)], check=True, capture_output=True)
    return built


def recording(path: Path) -> bytes:
    """Return the samples of a recording as bytes."""
    return bytes(soundfile.read(io.BytesIO(path.read_bytes()), dtype="int16")[0].tobytes())


def vctk(folder: Path, count: int = 4) -> list[Clip]:
    """VCTK's layout: a text a file, two speakers, two microphones of which the second lacks one."""
    for number, clip in enumerate(CLIPS[:count]):
        speaker, name = f"p{225 + number % 2}", f"p{225 + number % 2}_{number:03d}"
        text = folder / "txt" / speaker / f"{name}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text(f"{clip.text}\n", encoding="utf8")
        for microphone in (1, 2) if number else (1,):
            sound = folder / "wav48_silence_trimmed" / speaker / f"{name}_mic{microphone}.flac"
            sound.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(clip.path, sound)
    return CLIPS[:count]


def commonvoice(folder: Path, count: int = 4) -> list[Clip]:
    """Common Voice's layout, with MP3."""
    (folder / "clips").mkdir(parents=True)
    lines = ["client_id\tpath\tsentence\tup_votes\tlocale"]
    for number, clip in enumerate(CLIPS[:count]):
        samples, rate = soundfile.read(clip.path)
        soundfile.write(folder / "clips" / f"common_voice_en_{number}.mp3", samples, rate, format="MP3")
        lines.append(f"{number % 2}{'ab' * 63}\tcommon_voice_en_{number}.mp3\t{clip.text}\t2\ten")
    (folder / "validated.tsv").write_text("\n".join(lines) + "\n", encoding="utf8")
    return CLIPS[:count]


def piper(folder: Path, count: int = 4) -> list[Clip]:
    """Piper's layout of several speakers."""
    lines = []
    for number, clip in enumerate(CLIPS[:count]):
        wav(clip, folder / "wav" / f"{clip.id}.wav")
        lines.append(f"{clip.id}|speaker-{number % 2}|{clip.text}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf8")
    return CLIPS[:count]


def f5(folder: Path, count: int = 4) -> list[Clip]:
    """F5's layout: a table with a header, and paths."""
    lines = ["audio_file|text"]
    for clip in CLIPS[:count]:
        wav(clip, folder / "wavs" / f"{clip.id}.wav")
        lines.append(f"wavs/{clip.id}.wav|{clip.text}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf8")
    return CLIPS[:count]
