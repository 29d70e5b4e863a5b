"""Certificates of 127.0.0.1, and a fake API server that speaks TLS."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.cluster.fake_server import FakeServer


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def self_signed(path: Path) -> Path:
    """A self-signed certificate of 127.0.0.1; its key is beside it."""
    new = ("-newkey", "rsa:2048", "-nodes", "-keyout", path.with_suffix(".key"))
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("req", "-x509", *new, *subject, "-days", "2", "-out", path)
    return path


def signed(path: Path, authority: Path) -> Path:
    """A certificate of 127.0.0.1 that names no key of its authority."""
    request, extensions = path.with_suffix(".csr"), path.with_suffix(".ext")
    new = ("-newkey", "rsa:2048", "-nodes", "-keyout", path.with_suffix(".key"))
    openssl("req", "-new", *new, "-subj", "/CN=api", "-out", request)
    extensions.write_text(
        "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=none\nsubjectKeyIdentifier=none\n"
    )
    by = ("-CA", authority, "-CAkey", authority.with_suffix(".key"), "-CAcreateserial")
    openssl("x509", "-req", "-in", request, *by, "-extfile", extensions, "-days", 2, "-out", path)
    return path


@contextmanager
def secured(certificate: Path) -> Iterator[FakeServer]:
    """A fake API server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    fake = FakeServer(context)
    try:
        yield fake
    finally:
        fake.stop()
