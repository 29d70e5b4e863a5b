"""Figures of this project, as ratios measured in one run."""
