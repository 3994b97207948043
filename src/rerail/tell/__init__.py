"""What a person sees: written to the journal, and told from it. Reads events, decides nothing."""
