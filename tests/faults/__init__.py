"""The fault benchmark: faults on a real cluster, and how well each is found. See README.md."""
