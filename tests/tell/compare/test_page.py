from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from rerail.tell.compare import page
from written_runs import compared, falling, run

HOSTILE = (
    '<script>alert("x")</script>',
    "</script><img src=x onerror=alert(1)>",
    "[x](javascript:y) **b** `c`",
    "a\x1b[31mb\u202ec",
)


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_stands_alone_and_says_what_is_refused(tmp_path: Path) -> None:
    made = [
        run(tmp_path / f"{weight}-{seed}", falling(1.0 + seed, loss__total=weight), weight_mel=weight, seed=seed)
        for weight in (1.0, 2.0)
        for seed in (0, 1)
    ]
    target = page.write(compared(made), tmp_path / "page.html")
    parsed = Elements()
    text = target.read_text(encoding="utf8")
    parsed.feed(text)
    said = " ".join(" ".join(parsed.words).split())
    assert "the weights differ: weight_mel is 1 and 2" in said
    assert "weight_mel 1 (2 runs)" in said
    assert not [attributes for _, attributes in parsed.found if "src" in attributes]
    assert [one for tag, one in parsed.found if tag == "div" and (one.get("class") or "").startswith("plot")]
    assert "Content-Security-Policy" in text
    assert len(text) < 5e6


def test_names_are_text(tmp_path: Path) -> None:
    def tags(names: tuple[str, ...]) -> list[str]:
        values = {f"{kind}/{name}": 1.0 for name in names for kind in ("loss", "eval")}
        made = [
            run(tmp_path / f"{names[0].replace('/', '')}{n}", lambda _: values, **dict.fromkeys(names, n), seed=0)
            for n in (0, 1)
        ]
        text, parsed = page.text(compared(made)), Elements()
        parsed.feed(text)
        assert not any(symbol in text for symbol in "\x1b\u202e")
        return [tag for tag, _ in parsed.found]

    assert tags(HOSTILE) == tags(("a", "b", "c", "d"))


def test_a_comparison_whose_every_signal_is_refused_is_a_page_too(tmp_path: Path) -> None:
    made = [run(tmp_path / str(n), falling(1.0, signal="loss/total", knob__loss__a=n), lr=n) for n in (1, 2)]
    assert "Not compared" in page.text(compared(made))
