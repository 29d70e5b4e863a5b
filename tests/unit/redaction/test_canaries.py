"""No canary of any field of any fact survives, in no format: facts of later are covered too."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, diagnose
from kubectl_netdoctor.checks.catalogue import catalogue
from kubectl_netdoctor.cli.outputs import FORMATS
from kubectl_netdoctor.cli.packing import RunLog, pack
from kubectl_netdoctor.cli.saved import read, to_bytes
from kubectl_netdoctor.cli.show import render
from kubectl_netdoctor.facts.base import FACTS
from kubectl_netdoctor.redaction.redact import Redaction, hidden, redact, without_all_secrets
from tests.unit.redaction.canaries import Canaries, Form

KEY = bytes(range(16))


def word(number: int) -> str:
    """A word that nobody knows."""
    return f"xyzzy{number:04d}plugh"


def name(number: int) -> str:
    """A DNS name."""
    return f"xyzzy{number:04d}.plugh.example.com"


def sentence(number: int) -> str:
    """In the middle of what programs say."""
    return (
        f'error: Get "https://xyzzy{number:04d}plugh:6443/api": dial tcp: lookup (xyzzy{number}_b)'
    )


def address(number: int) -> str:
    """An address of the internet."""
    return f"81.{number >> 8}.{number & 255}.9"


def six(number: int) -> str:
    """An address of IPv6, in a network."""
    return f"2a05:{number:x}:4711::/48"


def mac(number: int) -> str:
    """A card."""
    return f"00:16:3e:77:{number >> 8:02x}:{number & 255:02x}"


def rule(number: int) -> str:
    """As iptables-save writes it."""
    return f'-s 81.{number >> 8}.{number & 255}.0/24 -m comment --comment "xyzzy{number:04d}" -j ACCEPT'


def document(number: int) -> str:
    """JSON in an annotation."""
    return (
        f'{{"xyzzy{number:04d}":["81.{number >> 8}.{number & 255}.9",{{"k":"xyzzy-{number}-p"}}]}}'
    )


def marks(form: Form, number: int) -> tuple[str, ...]:
    """What must not be seen of a canary."""
    text = form(number)
    if form is address:
        return (text,)
    if form is six:
        return (f"2a05:{number:x}:4711:",)
    if form is mac:
        return (text, text.replace(":", "-"))
    dotted = f"81.{number >> 8}.{number & 255}."
    return ("xyzzy", "plugh", dotted, dotted.replace(".", "-"))


def cloud(number: int) -> str:
    """A node as clouds name it."""
    return f"ip-81-{number >> 8}-{number & 255}-9.eu-xyzzy-1.compute.internal"


def inside(number: int) -> str:
    """An address in the middle of a name."""
    return f"nginx-81.{number >> 8}.{number & 255}.9-xyzzy"


FORMS: list[Form] = [word, cloud, inside, name, sentence, address, six, mac, rule, document]


def leaks(form: Form, canaries: Canaries, text: str) -> list[str]:
    """Fields whose canary is in a text."""
    return [
        place
        for number, place in enumerate(canaries.places)
        if any(mark in text for mark in marks(form, number))
    ]


@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_no_canary_is_left_in_the_saved_file(form: Form, absent: bool) -> None:
    """Of every string field and every key of a mapping, whatever stands there."""
    canaries = Canaries(form, absent=absent)
    snapshot = canaries.snapshot()
    envelope = snapshot.nodes[0].envelope
    assert envelope
    assert set(FACTS) == snapshot.cluster.keys() | envelope.facts.keys()
    before = to_bytes(snapshot).decode()
    assert len(set(leaks(form, canaries, before))) > 100  # the canaries can be seen at all
    after = to_bytes(redact(snapshot, Redaction(KEY)))
    assert leaks(form, canaries, after.decode()) == []
    read(after, "x")


def judged(form: Form, *, absent: bool) -> tuple[Canaries, Diagnosis, Redaction]:
    """A redacted snapshot of canaries, judged by all checks."""
    canaries = Canaries(form, absent=absent)
    redaction = Redaction(KEY)
    return canaries, diagnose(redact(canaries.snapshot(), redaction), catalogue()), redaction


@pytest.mark.parametrize("output", FORMATS)
@pytest.mark.parametrize("form", [word, address])
def test_no_canary_is_left_in_any_format(form: Form, output: str) -> None:
    """Reports are made of the redacted snapshot and of nothing else."""
    for absent in (False, True):
        canaries, diagnosis, _ = judged(form, absent=absent)
        text = render(diagnosis, output, 1, io.StringIO())
        assert leaks(form, canaries, text) == []


@pytest.mark.parametrize("form", [word, sentence, address])
def test_no_canary_is_left_in_the_bundle(form: Form, tmp_path: Path) -> None:
    """Its log included."""
    canaries, diagnosis, redaction = judged(form, absent=False)
    log = RunLog(written=[f"POST /apis/{c}: 201" for c in canaries.seen], warnings=canaries.seen)
    log.said.write("\n".join(canaries.seen))
    file = tmp_path / "b.tar.gz"
    pack(str(file), diagnosis, 1, log, lambda text: hidden(text, redaction))
    with tarfile.open(file) as tar:
        for member in tar:
            stream = tar.extractfile(member)
            assert stream is not None
            assert leaks(form, canaries, stream.read().decode()) == [], member.name


SECRETS = {
    "bearer": "Authorization: Bearer abcDEF123456789012",
    "jwt": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "cut pem": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1d",
    "userinfo": "https://admin:hunter2hunter2@registry.example.com/x",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "github": "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB",
    "kubeadm": "07401b.f395accd246ae52d",
    "yaml": "password: correct-horse-battery",
    "json": '{"client_secret":"correct-horse-battery"}',
    "env": "API_KEY=correct-horse-battery",
}
LEFT = {
    "bearer": "abcDEF", "jwt": "eyJ", "pem": "MIIE", "cut pem": "MHcC", "userinfo": "hunter2",
    "aws": "AKIA", "github": "ghp_", "kubeadm": "f395", "yaml": "horse", "json": "horse",
    "env": "horse",
}  # fmt: skip


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_go_from_every_field_also_without_redact(kind: str) -> None:
    """Nothing asks for them; where one slipped in, it is not saved."""
    canaries = Canaries(lambda n: f"{n} {SECRETS[kind]} {n}", absent=False)
    clean = to_bytes(without_all_secrets(canaries.snapshot())).decode()
    assert LEFT[kind] in to_bytes(canaries.snapshot()).decode()
    assert LEFT[kind] not in clean


@pytest.mark.parametrize(
    "text",
    [
        "kube-dns.kube-system.svc.cluster.local.",
        "monkey: businesses",
        "tokens: see below",
        "coredns-5876d57d49.64ljf",
        "https://198.18.0.1:6443",
        "net.ipv4.tcp_fastopen_key",
        "bind-address: 0.0.0.0",
        '{"secret": null, "token": true}',
        "sk-ingress-controller-7d9f8b6c5d-x2x4q",
        "flannel.alpha.coreos.com/backend-data",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """A text without a secret is the same afterwards."""
    from kubectl_netdoctor.redaction.secrets import without_secrets  # noqa: PLC0415

    assert without_secrets(text) == text


def test_a_saved_file_of_canaries_can_be_packed() -> None:
    """The builder makes snapshots that the codec reads back."""
    data = to_bytes(Canaries(word, absent=True).snapshot())
    assert read(gzip.compress(data), "x").nodes[0].envelope is not None
