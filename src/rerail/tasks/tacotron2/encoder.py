"""Text symbols to one vector per symbol: convolutions, then a bidirectional LSTM over the true lengths."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rerail.alignment import valid
from rerail.tasks.speech.layers import convolution_block, convolve
from rerail.tasks.tacotron2.config import Size


class Encoder(nn.Module):
    """Three convolutions and an LSTM in the reference (Shen et al. 2018, section 2.2)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.embedding
        self.dropout = size.dropout
        blocks = (
            convolution_block(width, width, size.encoder_kernel, "relu") for _ in range(size.encoder_convolutions)
        )
        self.convolutions = nn.ModuleList(blocks)
        self.lstm = nn.LSTM(width, size.encoder_lstm, batch_first=True, bidirectional=True)

    def forward(self, embedded: Tensor, length: Tensor) -> Tensor:
        """embedded: (batch, symbols, embedding); length: (batch,) -> (batch, symbols, memory), zero where padded."""
        symbols = embedded.shape[1]
        mask = valid(length, symbols)
        x = (embedded * mask[:, :, None]).transpose(1, 2)
        for block in self.convolutions:
            x = functional.dropout(functional.relu(convolve(block, x, mask)), self.dropout, self.training)
        packed = pack_padded_sequence(x.transpose(1, 2), length.cpu(), batch_first=True, enforce_sorted=False)
        memory: Tensor
        memory, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=symbols)
        return memory
