"""Checks: pure functions from facts to findings, one file each, named after the fault."""
