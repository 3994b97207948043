from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rerail.data.packs import TOGETHER, mapped, places, writer


@settings(max_examples=25)
@given(shapes=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=2 * TOGETHER))
def test_arrays_of_any_shape_come_back_bit_by_bit(
    tmp_path_factory: pytest.TempPathFactory, shapes: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("pack")
    arrays = {f"key{number}": torch.randn(shape) for number, shape in enumerate(shapes)}
    with writer(folder) as pack:
        for key, array in arrays.items():
            pack.add(key, array)
    wanted = {key: place for key, place in places(folder).items() if place.end > place.start}
    back = mapped(wanted)
    assert all(torch.equal(back[key], array) for key, array in arrays.items() if len(array))


@pytest.mark.parametrize("array", [torch.arange(24).reshape(3, 2, 4).byte(), torch.tensor([-5, 2**15 - 1]).short()])
def test_pictures_and_samples_keep_their_type_and_shape(tmp_path: Path, array: torch.Tensor) -> None:
    with writer(tmp_path, array.dtype) as pack, writer(tmp_path) as other:
        pack.add("one", array)
        other.add("float", torch.ones(2, 2))
    back = mapped(places(tmp_path))
    assert back["one"].dtype == array.dtype
    assert torch.equal(back["one"], array)
    assert torch.equal(back["float"], torch.ones(2, 2))


def test_values_that_are_not_finite_are_kept(tmp_path: Path) -> None:
    with writer(tmp_path) as pack:
        pack.add("bad", torch.tensor([[float("nan"), float("inf")]]))
    assert mapped(places(tmp_path))["bad"].isnan().tolist() == [[True, False]]


def test_whatever_was_added_before_an_error_is_there(tmp_path: Path) -> None:
    def fail() -> None:
        with writer(tmp_path) as pack:
            pack.add("a", torch.ones(2, 3))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert mapped(places(tmp_path))["a"].tolist() == [[1.0] * 3] * 2


def test_what_a_killed_writer_left_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    with writer(tmp_path) as pack:
        for number in range(3):
            pack.add(f"key{number}", torch.full((4, 2), float(number)))
    numbers, index = next(tmp_path.glob("*.f32")), next(tmp_path.glob("*.tsv"))
    numbers.write_bytes(numbers.read_bytes()[: 2 * 32 + 5])
    assert set(places(tmp_path)) == {"key0", "key1"}
    index.write_text(index.read_text().removesuffix("\nkey2\t16\t4\t2\n"))
    assert set(places(tmp_path)) == {"key0"}
    numbers.unlink()
    assert places(tmp_path) == {}


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    with writer(tmp_path) as one, writer(tmp_path) as other:
        one.add("a", torch.zeros(1, 2))
        other.add("b", torch.ones(1, 2))
    assert {key: array.tolist() for key, array in mapped(places(tmp_path)).items()} == {"a": [[0, 0]], "b": [[1, 1]]}


def test_an_empty_pack_is_not_left_behind(tmp_path: Path) -> None:
    with writer(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
