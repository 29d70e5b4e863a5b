# The command line as an image, for use in CI and from inside a cluster:
#   docker run --rm -v ~/.kube/config:/kubeconfig:ro -e KUBECONFIG=/kubeconfig IMAGE scan --all-nodes
ARG BASE=docker.io/library/python:3.13-slim-bookworm
FROM ${BASE}
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY kubectl_netdoctor kubectl_netdoctor
# In an environment of its own, because some bases protect their own Python.
RUN python3 -m venv /opt/netdoctor \
 && /opt/netdoctor/bin/pip install --no-cache-dir . \
 && rm -rf /src
ENV PATH=/opt/netdoctor/bin:$PATH
WORKDIR /
USER 65532:65532
ENTRYPOINT ["kubectl-netdoctor"]
