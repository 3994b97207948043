"""Speaker consistency: what is predicted has the voice of what was said (after YourTTS, arXiv:2112.02418, section 2.2).

The speaker encoder is not trained and no part of the network; it hears a window of both spectrograms.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rerail.audio.mel import MelSpec
from rerail.audio.voiceprint import Voiceprint

SECONDS = 1.0  # what is heard of each clip: an LSTM is slow


def consistency(voiceprint: Voiceprint, predicted: Tensor, mel: Tensor, length: Tensor, spec: MelSpec) -> Tensor:
    """Return one less the mean cosine of the speaker vectors, 0 to 1; both (batch, frames, bands), length (batch,).

    The window is drawn anew for each clip from the global RNG; a shorter clip is repeated.
    """
    frames = round(spec.frames(SECONDS))
    start = (torch.rand(len(mel), device=mel.device) * (length - frames + 1).clamp(min=1)).long()
    place = (start[:, None] + torch.arange(frames, device=mel.device)) % length[:, None]
    index = place[:, :, None].expand(-1, -1, mel.shape[2])
    heard, said = (voiceprint.of_spectrograms(one.gather(1, index), spec) for one in (predicted, mel))
    return 1.0 - (heard * said).sum(1).mean()
