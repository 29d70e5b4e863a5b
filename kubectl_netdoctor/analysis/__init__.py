"""From facts to ranked findings: evaluate every check, merge, fold, rank. Pure functions."""
