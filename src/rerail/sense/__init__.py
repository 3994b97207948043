"""Tensors to one Reading: the only transfer from the device to the host in a healthy step."""
