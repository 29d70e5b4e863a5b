"""A real Kubernetes of several nodes on one Linux machine, for the tests of this project."""

from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.machine import missing

__all__ = ["Lab", "LabError", "missing"]
