"""Pictures of pages for the documentation: scripts/screenshots.py PAGE OUT.png [--width 1280] [--height 1400] [--dark].

PAGE is an HTML file or an address. Charts that are in view are waited for. The picture is reduced to 256 colours, which
pages of text and lines do not miss. It needs a Chromium, and pillow (the extra "vision").
"""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path

from PIL import Image

from chromium import Browser

_SETTLED = """(async () => {
  const pause = () => new Promise(done => setTimeout(done, 50));
  const waiting = () => [...document.querySelectorAll(".plot")].some(each => {
    const place = each.getBoundingClientRect();
    return place.top < innerHeight && place.bottom > 0 && !each.querySelector("svg");
  });
  for (let turn = 0; turn < 600 && waiting(); turn++) await pause();
  await pause();
})()"""


def shoot(url_or_file: str | Path, out: str | Path, width: int, height: int, *, dark: bool, script: str = "") -> Path:
    """Save what a window of this size shows of a page; `script` may first scroll or press something."""
    with Browser() as browser:
        page = browser.open(url_or_file, width=width, height=height, dark=dark)
        if script:
            page.run(script)
        page.run(_SETTLED)
        taken = page.picture()
    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(BytesIO(taken)) as image:
        image.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            target, optimize=True
        )
    return target


def main() -> None:
    """Take one picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page")
    parser.add_argument("out")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1400)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--script", default="", help="an expression that is run before the picture is taken")
    given = parser.parse_args()
    path = shoot(given.page, given.out, given.width, given.height, dark=given.dark, script=given.script)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
