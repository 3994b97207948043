from __future__ import annotations

import torch

from rerail.data.pairs import augment


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_picture_keeps_its_form_and_what_it_shows() -> None:
    image = torch.zeros(3, 32, 32, dtype=torch.uint8)
    image[0, :, :] = 180
    image[1, 8:24, 8:24] = 120
    changed = [augment.picture(image, generator(seed)) for seed in range(20)]
    assert all(one.shape == image.shape and one.dtype == torch.uint8 for one in changed)
    assert all((one.float() - image.float()).abs().mean() < 40 for one in changed)
    assert len({one.numpy().tobytes() for one in changed}) == 20


def test_half_of_the_pictures_are_mirrored() -> None:
    image = torch.zeros(3, 16, 16, dtype=torch.uint8)
    image[:, :, :8] = 200
    left = sum(bool(augment.picture(image, generator(seed))[:, 8, 0].sum() > 300) for seed in range(200))
    assert 70 < left < 130


def test_a_sound_keeps_its_length_and_its_range() -> None:
    wave = 0.9 * torch.sin(torch.arange(4000) / 20)
    changed = [augment.sound(wave, generator(seed)) for seed in range(20)]
    assert all(one.shape == wave.shape and one.abs().max() <= 1 for one in changed)
    assert len({round(float(one.square().mean()), 6) for one in changed}) == 20


def test_noise_lies_20_to_40_decibels_below_the_sound() -> None:
    frequency = torch.arange(4000) * (2 * torch.pi * 200 / 4000)  # a tone of whole periods, so one line of the spectrum
    for seed in range(20):
        power = torch.fft.rfft(augment.sound(0.1 * torch.sin(frequency), generator(seed))).abs().square()
        tone = power[200]
        below = 10 * torch.log10(tone / (power.sum() - tone))
        assert 18.5 < below < 41.5


def test_silence_stays_finite() -> None:
    assert augment.sound(torch.zeros(100), generator()).abs().max() == 0


def test_the_generator_alone_decides() -> None:
    image, wave = torch.randint(0, 256, (3, 9, 9), dtype=torch.uint8), torch.randn(500)
    torch.manual_seed(1)
    first = augment.picture(image, generator()), augment.sound(wave, generator())
    torch.manual_seed(2)
    assert torch.equal(augment.picture(image, generator()), first[0])
    assert torch.equal(augment.sound(wave, generator()), first[1])
