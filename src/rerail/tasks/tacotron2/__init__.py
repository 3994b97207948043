"""Tacotron2: text to a log-mel spectrogram (Shen et al. 2018, arXiv:1712.05884)."""
