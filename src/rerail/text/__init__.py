"""Text to symbol numbers, for any language: the table comes from the data."""
