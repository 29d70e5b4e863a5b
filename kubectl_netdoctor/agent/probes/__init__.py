"""Active measurements from the node's own network namespace, one module per fact."""
