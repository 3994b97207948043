"""The widths of the network: four named sizes."""

from __future__ import annotations

from dataclasses import dataclass

RATE, NARROWEST = 2e-3, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Every width of the network; counts are units or layers, kernels are positions, dropouts are probabilities.

    `offset` and `scale` map natural-log mels to what the network sees, `(mel - offset) / scale`. `guided` heads of each
    of the last `guided_layers` decoder layers are led along the text.
    """

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    prenet: int
    latent: int
    reference: int  # channels of the reference encoder
    reference_layers: int  # each halves the time
    postnet: int
    postnet_layers: int
    guided: int = 1
    guided_layers: int = 2
    forward: int = 4  # width of the feed-forward layers, times `width`
    dropout: float = 0.1
    prenet_dropout: float = 0.5  # on at synthesis too
    postnet_kernel: int = 5
    postnet_dropout: float = 0.1
    offset: float = -5.0
    scale: float = 2.5

    @property
    def rate(self) -> float:
        """A learning rate for AdamW: it falls as the width grows (Yang et al. 2022, arXiv:2203.03466, table 3).

        That of the tiny network was swept (docs/xtts.md); those of the others follow.
        """
        return RATE * NARROWEST / self.width


SIZES = {
    "tiny": Size(
        width=128,
        heads=4,
        encoder_layers=2,
        decoder_layers=3,
        prenet=96,
        latent=16,
        reference=96,
        reference_layers=3,
        postnet=96,
        postnet_layers=3,
    ),
    "small": Size(
        width=256,
        heads=4,
        encoder_layers=4,
        decoder_layers=6,
        prenet=192,
        latent=32,
        reference=192,
        reference_layers=4,
        postnet=256,
        postnet_layers=5,
    ),
    "normal": Size(
        width=512,
        heads=8,
        encoder_layers=5,
        decoder_layers=6,
        prenet=256,
        latent=64,
        reference=384,
        reference_layers=4,
        postnet=512,
        postnet_layers=5,
    ),
    "big": Size(
        width=768,
        heads=12,
        encoder_layers=6,
        decoder_layers=9,
        prenet=384,
        latent=64,
        reference=512,
        reference_layers=4,
        postnet=512,
        postnet_layers=5,
    ),
}
