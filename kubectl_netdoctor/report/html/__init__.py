"""One self-contained HTML page: nothing is loaded, and nothing from the cluster can run in it."""
