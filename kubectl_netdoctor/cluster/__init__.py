"""The only place that talks to the Kubernetes API: plain dicts out, raw JSON in, typed facts up."""
