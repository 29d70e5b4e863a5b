"""Passive readers, one module per fact, each named after the wire key of its fact."""
