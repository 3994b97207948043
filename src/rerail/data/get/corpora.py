"""The speech corpora that Debian packages hold: which packages, whose voice, under which terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rerail.data.get.packages import Package
from rerail.data.listing import Listing
from rerail.data.pairs.pair import Pairing
from rerail.data.readers import asterisk, festvox, sphinx, tuxpaint


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A corpus in packages. `root` is where its files lie once unpacked, `language` said where its layout has none.

    `pictures` joins its clips to pictures, where it has any.
    """

    packages: tuple[Package, ...]
    read: Callable[[Path], Listing]
    about: str
    licence: str
    credit: str
    root: str = "usr/share"
    language: str = ""
    pictures: Callable[[Path, Listing], Pairing] | None = None
    needs: tuple[str, str] = ("soundfile", "audio")  # library that decodes it, and the extra that installs that


def _package(name: str, version: str, size: int, sha256: str, *, source: str = "") -> Package:
    source = source or name
    file = f"{name}_{version.partition(':')[2] or version}_all.deb"
    return Package(name=name, version=version, pool=f"pool/main/{source[0]}/{source}/{file}", size=size, sha256=sha256)


def _prompts(code: str, about: str, licence: str, credit: str, text: tuple[int, str], sound: tuple[int, str]) -> Corpus:
    sizes = {f"asterisk-core-sounds-{code}": text, f"asterisk-core-sounds-{code}-g722": sound}
    packages = (_package(name, "1.6.1-1", *one, source="asterisk-core-sounds") for name, one in sizes.items())
    return Corpus(
        packages=tuple(packages),
        read=asterisk.read,
        about=about,
        licence=licence,
        credit=credit,
        needs=("av", "g722"),
    )


SHARE_ALIKE, ATTRIBUTION = "CC-BY-SA-3.0", "CC-BY-3.0"

# Versions, sizes and checksums of Debian 12. Where apt offers another version, its own index counts.
CORPORA: Mapping[str, Corpus] = {
    "festvox-ru": Corpus(
        packages=(
            _package(
                "festvox-ru",
                "0.5+dfsg-6",
                178728512,
                "21ef3f0f2978ecf2e2eddb367cb0ff4a72572196d28dc69feb84f4177af5e6c4",
            ),
        ),
        read=festvox.read,
        about="620 studio sentences by one Russian man, with phone labels",
        licence="BSD-like (copyright 2005 Nickolay V. Shmyrev)",
        credit="Nickolay V. Shmyrev, Russian language support for Festival",
    ),
    "asterisk-en": _prompts(
        "en",
        "some 560 telephone prompts by one woman, English",
        SHARE_ALIKE,
        "recorded by Allison Smith (theivrvoice.com), copyright 2003-2010, with contributions by Digium, Inc.",
        (22844, "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50"),
        (10565860, "38c5261820b406dcb0ecb37675720da2b0864850690690352ca52707eb623806"),
    ),
    "asterisk-es": _prompts(
        "es",
        "some 560 telephone prompts by one woman (the voice of asterisk-en), Spanish",
        SHARE_ALIKE,
        "recorded by Allison Smith (theivrvoice.com), copyright 2003-2010, with contributions by Digium, Inc.",
        (22012, "9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74"),
        (13048380, "e4e3b4281057d3b81b779298fd6be705f57411513955c518eed1bcaabbd615b8"),
    ),
    "asterisk-fr": _prompts(
        "fr",
        "some 560 telephone prompts by one woman, French",
        SHARE_ALIKE,
        "recorded by June Wallack (junewallack.com), copyright 2006-2008; translated by Clod Patry, Kristopher "
        "Lalletti and June Wallack; with contributions by Digium, Inc., Unlimitel and BGM Informatique",
        (23152, "04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056"),
        (10822860, "7add61d5e42279ecff1bbdf842a5a946ac3644fac9a0fe44384731aa7270c8e0"),
    ),
    "asterisk-it": _prompts(
        "it",
        "some 560 telephone prompts by one man, Italian",
        ATTRIBUTION,
        "recorded by Carlo Flora (carloflora.com), copyright 2012; translated by Silvia Petrin",
        (23972, "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b"),
        (10087176, "46b4cf7afc508a5fcfc051b7ea233251c0d195dd4ef83cc4b7facb4c6429b016"),
    ),
    "asterisk-ru": _prompts(
        "ru",
        "some 560 telephone prompts by one woman, Russian",
        ATTRIBUTION,
        "provided by Maxim Topal (ivrvoice.ru), copyright 2010",
        (25592, "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab"),
        (10579440, "673b4238a6b8269960f055d868c6a11083f7a0d00979167cb01554046b48ed9b"),
    ),
    "tuxpaint": Corpus(
        packages=(
            _package(
                "tuxpaint-stamps-default",
                "2022.06.04-1",
                160880444,
                "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
                source="tuxpaint-stamps",
            ),
        ),
        read=tuxpaint.read,
        about="some 7200 short descriptions of pictures in a dozen languages, one voice each",
        licence="GPL-2",
        credit="Bill Kendrick and the Tux Paint contributors, copyright 2002-2022; voices among others: Ksenya Buraya "
        "(be), Krasimir Petkov (bg), Joe Dalton (da), Serafeim Kyriaki (el), Estefania Ortiz (es)",
        root="usr/share/tuxpaint/stamps",
        pictures=tuxpaint.pictures,
    ),
    "sphinx-en": Corpus(
        packages=(
            _package(
                "pocketsphinx-testdata",
                "0.8+5prealpha+1-15",
                1822580,
                "eaeb7a01d54f20b799d1a81ef110ec544b2cb47ea006614078220737a33019f0",
                source="pocketsphinx",
            ),
        ),
        read=sphinx.read,
        about="10 clips by two speakers, English: a corpus for trying things out",
        licence="BSD-2",
        credit="Carnegie Mellon University, copyright 1995-2014; Alpha Cephei Inc., 2014-2015",
        root="usr/share/pocketsphinx/test/data",
        language="en",
    ),
}
