from __future__ import annotations

import torch

from rerail.sense.alike import alike


def batch(seed: int, *, shift: float = 0.0, classes: int = 10) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.rand(32, 1, 8, 8, generator=generator) * torch.linspace(0.1, 1.0, 64).view(8, 8)
    return [pictures + shift, torch.randint(0, classes, (32,), generator=generator)]


KEPT = [batch(seed) for seed in range(24)]


def test_another_batch_of_the_same_kind_is_alike() -> None:
    assert all(alike(batch(seed), KEPT) for seed in range(100, 140))


def test_rows_in_another_order_are_alike() -> None:
    pictures, labels = batch(7)
    assert alike([pictures, labels[torch.randperm(32, generator=torch.Generator().manual_seed(1))]], KEPT)


def test_another_domain_is_not() -> None:
    pictures, labels = batch(7)
    assert not alike([1.0 - pictures, labels], KEPT)  # inverted
    assert not alike([pictures.flip(2), labels], KEPT)  # upside down
    assert not alike([pictures + 0.5, labels], KEPT)


def test_other_classes_are_not() -> None:
    pictures, _ = batch(7)
    assert not alike([pictures, torch.full((32,), 3)], KEPT)


def test_sequences_of_other_lengths_are_compared_by_size_and_level() -> None:
    def speech(seed: int, frames: int, level: float) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return [level + torch.randn(8, frames, 20, generator=generator)]

    kept = [speech(seed, 40 + 3 * seed, -4.0) for seed in range(12)]
    assert alike(speech(50, 61, -4.0), kept)
    assert not alike(speech(50, 61, -2.0), kept)


def test_of_a_few_batches_nothing_is_said() -> None:
    assert not alike(batch(3), KEPT[:3])
