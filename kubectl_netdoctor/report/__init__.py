"""Render a diagnosis. Nothing here decides what is a fault or how bad it is."""
