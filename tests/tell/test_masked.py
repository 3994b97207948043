from __future__ import annotations

import pytest

from rerail.tell.masked import masked


def test_a_text_without_secrets_stays_as_it_is() -> None:
    assert (
        masked("no route to host: https://track.example:5000/api") == "no route to host: https://track.example:5000/api"
    )
    assert masked("see me@example.org and //a/b@c") == "see me@example.org and //a/b@c"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("http://me:pass@host/x", "http://***@host/x"),
        ("two: ftp://a@h and mysql://u:p%40q@db:3306/t", "two: ftp://***@h and mysql://***@db:3306/t"),
        ("http://me:p@ss@host/x", "http://***@host/x"),
    ],
)
def test_logins_of_addresses_are_masked(said: str, shown: str) -> None:
    assert masked(said) == shown


def test_values_of_variables_named_like_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abcdef")
    monkeypatch.setenv("SOME_PASSWORD", "abcdefgh")
    monkeypatch.setenv("SHORT_KEY", "no")
    monkeypatch.setenv("PLAIN_THING", "visible")
    assert masked("abcdefgh, abcdef, no, visible") == "***, ***, no, visible"
