"""What every trainer of speech needs beside its own model: losses, metrics, evaluation, the corpus."""
