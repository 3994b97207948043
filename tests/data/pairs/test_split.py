from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import small_pairs
from rerail.data.pairs.caches import Examined
from rerail.data.pairs.split import Parts, Shares, joined, leaks, parts

SHARES = Shares(unseen=0.2, seen=0.2, validation=0.2)
KEPT = [small_pairs.pair(f"p{who}", f"s{who}-{clip}", f"i{who}", clip) for who in range(10) for clip in range(6)]
ONE = st.tuples(st.integers(0, 7), st.integers(0, 40), st.integers(0, 40))


def identities(pairs: tuple[Examined, ...]) -> set[str]:
    return {one.pair.identity for one in pairs}


def test_identities_that_share_a_recording_or_a_picture_are_one() -> None:
    kept = [
        small_pairs.pair("a", "s1", "i1"),
        small_pairs.pair("b", "s1", "i2"),
        small_pairs.pair("c", "s2", "i2"),
        small_pairs.pair("d", "s3", "i3"),
    ]
    assert [one.pair.identity for one in joined(kept)] == ["a+b+c"] * 3 + ["d"]
    assert joined(joined(kept)) == joined(kept)


def test_shares_are_kept_and_everything_is_used_once() -> None:
    found = parts(KEPT, SHARES)
    assert [len(identities(side)) for side in (found.unseen, found.validation)] == [2, 2]
    assert sum(map(len, found.named().values())) == len(KEPT)
    assert identities(found.seen) <= identities(found.train)
    assert len(found.seen) == round(0.2 * 36)
    assert leaks(found) == []


def test_the_seed_alone_draws() -> None:
    first = parts(KEPT, SHARES)
    again = parts(KEPT[::-1], SHARES)
    assert {name: {one.pair.id for one in side} for name, side in first.named().items()} == {
        name: {one.pair.id for one in side} for name, side in again.named().items()
    }
    assert identities(first.unseen) != identities(parts(KEPT, replace(SHARES, seed=4)).unseen)


@settings(max_examples=60)
@given(st.lists(ONE, min_size=1, max_size=60), st.booleans(), st.booleans(), st.integers(0, 5))
def test_nothing_leaks_whatever_is_shared(
    marks: list[tuple[int, int, int]],
    new_pictures: bool,  # noqa: FBT001
    validation_seen: bool,  # noqa: FBT001
    seed: int,
) -> None:
    kept = [small_pairs.pair(f"p{who}", f"s{s}", f"i{i}", n, 2, 1) for n, (who, s, i) in enumerate(marks)]
    shares = Shares(unseen=0.2, seen=0.3, validation=0.2, seed=seed)
    try:
        found = parts(kept, shares, new_pictures=new_pictures, validation_seen=validation_seen)
    except ValueError as error:
        assert "identities, of which" in str(error)  # noqa: PT017 - too few of them is no leak
        return
    assert leaks(found) == []
    assert sorted(one.pair.id for side in found.named().values() for one in side) == sorted(one.pair.id for one in kept)
    train = identities(found.train)
    assert found.train
    assert identities(found.seen) <= train
    assert not identities(found.unseen) & train
    assert bool(identities(found.validation) & train) <= validation_seen
    sounds = [{one.sound_key for one in side} for side in found.named().values()]
    assert sum(map(len, sounds)) == len(set().union(*sounds))


def test_pseudo_persons_are_measured_on_photos_and_recordings_of_whom_they_are_trained_on() -> None:
    kept = [small_pairs.pair(f"p{who}", f"s{who}-{n}", f"i{who}-{n % 10}", n) for who in range(6) for n in range(30)]
    found = parts(kept, SHARES, new_pictures=True, validation_seen=True)
    assert leaks(found) == []
    assert identities(found.validation) <= identities(found.train)
    assert len(found.seen) == len(found.validation) == 30
    assert len(identities(found.seen)) == len(identities(found.validation)) == 5
    shown = {one.picture_key for one in found.train}
    assert not shown & {one.picture_key for one in (*found.seen, *found.validation)}


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ({"sound_key": "s0-0"}, "train and unseen share recording of"),
        ({"picture_key": "i0"}, "train and unseen share picture of"),
        ({"pair": small_pairs.pair("p0", "x", "y").pair}, "train and unseen share identity of"),
    ],
)
def test_a_planted_leak_is_found(planted: dict[str, object], told: str) -> None:
    train, unseen = tuple(KEPT[:6]), tuple(KEPT[6:12])
    clean = Parts(train=train, validation=(), seen=(), unseen=unseen)
    assert leaks(clean) == []
    leaking = replace(clean, unseen=(replace(unseen[0], **planted), *unseen[1:]))  # type: ignore[arg-type]
    assert [one.startswith(told) for one in leaks(leaking)] == [True]


def test_a_leak_into_seen_or_validation_is_found_too() -> None:
    clean = Parts(train=tuple(KEPT[:4]), validation=(), seen=tuple(KEPT[4:6]), unseen=())
    assert leaks(clean) == []
    assert leaks(replace(clean, new_pictures=True))[0].startswith("train and seen share picture of")
    assert leaks(replace(clean, seen=(KEPT[0],))) == [
        f"train and seen share recording of {KEPT[0].pair.id} and {KEPT[0].pair.id}"
    ]
    asked = replace(clean, seen=(), validation=tuple(KEPT[4:6]))
    assert leaks(asked)[0].startswith("train and validation share identity of")
    assert leaks(replace(asked, validation_seen=True)) == []


def test_too_few_identities_are_told() -> None:
    with pytest.raises(ValueError, match="2 identities, of which 2 were to be set aside; give more, or smaller shares"):
        parts(KEPT[:12], SHARES)


def test_an_identity_of_one_recording_keeps_it_in_training() -> None:
    kept = [small_pairs.pair(f"p{who}", f"s{who}", f"i{who}", who) for who in range(9)]
    found = parts(kept, SHARES)
    assert found.seen == ()
    assert len(found.train) == 5
