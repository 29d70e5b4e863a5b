"""One module for each fault or quiet case: SCENARIOS lists its variants."""
