"""The widths of a Tacotron2: three named sizes, one of them the published reference."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Every width of the network; counts are units, kernels are positions, dropouts are probabilities.

    `offset` and `scale` map natural-log mels to what the network sees, `(mel - offset) / scale`.
    The reference works on the mels as they are.
    """

    embedding: int
    encoder_convolutions: int
    encoder_kernel: int
    encoder_lstm: int  # each of the two directions
    attention_rnn: int
    decoder_rnn: int
    attention: int
    location_filters: int
    location_kernel: int
    prenet: int
    postnet: int
    postnet_kernel: int
    postnet_layers: int
    dropout: float = 0.5  # encoder and postnet convolutions
    rnn_dropout: float = 0.1  # states of the two decoder cells
    dynamic_filters: int = 8  # dynamic convolution attention: static ones, and as many dynamic ones
    dynamic_kernel: int = 21
    prior_kernel: int = 11
    prenet_dropout: float = 0.5  # on at synthesis too, as published
    offset: float = 0.0
    scale: float = 1.0

    @property
    def memory(self) -> int:
        """Width of the encoder's output, both directions together."""
        return 2 * self.encoder_lstm


SIZES = {
    "tiny": Size(
        embedding=32,
        encoder_convolutions=1,
        encoder_kernel=5,
        encoder_lstm=16,
        attention_rnn=48,
        decoder_rnn=48,
        attention=24,
        location_filters=4,
        location_kernel=7,
        prenet=24,
        postnet=24,
        postnet_kernel=5,
        postnet_layers=2,
        offset=-5.0,
        scale=2.5,
    ),
    "small": Size(
        embedding=128,
        encoder_convolutions=2,
        encoder_kernel=5,
        encoder_lstm=64,
        attention_rnn=192,
        decoder_rnn=192,
        attention=64,
        location_filters=8,
        location_kernel=15,
        prenet=96,
        postnet=128,
        postnet_kernel=5,
        postnet_layers=3,
        dropout=0.1,  # half of a small postnet's units gone, its output is worse than its input for long
        rnn_dropout=0.0,
        prenet_dropout=0.8,  # less of it, and the true frames before tell so much that the text is hardly read
        offset=-5.0,
        scale=2.5,
    ),
    # NVIDIA's published Tacotron2 (Shen et al. 2018, arXiv:1712.05884)
    "reference": Size(
        embedding=512,
        encoder_convolutions=3,
        encoder_kernel=5,
        encoder_lstm=256,
        attention_rnn=1024,
        decoder_rnn=1024,
        attention=128,
        location_filters=32,
        location_kernel=31,
        prenet=256,
        postnet=512,
        postnet_kernel=5,
        postnet_layers=5,
    ),
}
