"""What the lab raises."""


class LabError(Exception):
    """The lab could not do what it was asked; the message is meant for a person."""
