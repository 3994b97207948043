"""Everything a person sees, computed from journal records only; this room decides nothing."""
