"""Scripts that look at the lab from the inside; none of them uses the project's own code."""
