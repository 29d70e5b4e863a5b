"""Every form of a secret in a text of any program; none of them takes long, whatever a node sends."""

from __future__ import annotations

import time

import pytest

from kubectl_netdoctor.redaction.redact import Redaction, hidden
from kubectl_netdoctor.redaction.secrets import without_secrets

X = "S3cr3tCanary"
SECRETS = [
    f"--password {X}",
    "--password S3cr3tCanary-with-dashes --node n1",
    "--pass S3cr3tCanary",
    f'{{"args":["--token","{X}"]}}',
    f"invalid token {X}, giving up",
    f"token\t550e8400-e29b-41d4-a716-446655440000 {X}",
    f"AccountName=a;AccountKey={X}+/==;EndpointSuffix=b",
    f"redis://:{X}@cache:6379/0",
    f"postgres://root:{X}@x@db/a",
    f"Bearer  {X}",
    f"Bearer\t{X}",
    f"BEARER {X}",
    f'{{"Authorization":["Bearer {X}"],"a":"b"}}',
    "Authorization: Bearer S3cr3tCanary-words",
    "basic UzNjcjN0Q2FuYXJ5",
    f'Authorization: Digest username="a", response="{X}"',
    f"client-key-data: {X}",
    f"PresharedKey = {X}",
    f"private key: {X}",
    f"pass={X}",
    f"pwd={X}",
    rf"password=ab\{X}",
    f"DB_PASS={X}",
    f"Cookie: theme=dark; session={X}",
    f'{{"Set-Cookie":["a={X}; Path=/"]}}',
    f"https://blob.example.com/a?sv=2022&sig={X}%3D&se=2026",
    rf'{{"a":"{{\"password\":\"{X}\",\"b\":1}}"}}',
    rf"{{\\\"password\\\":\\\"{X}\\\"}}",
    f'{{"password":["{X}"]}}',
    f'{{"password":"{X}',
    f"password: |\n   {X}\nmode: a",
    f"secret key.example. {X}==",
    f"aws_access_key AKIAIOSFODNN7EXAMPLE {X}/EXAMPLEKEY",
    f"credentials root {X}",
    f"key: Ab1Cd2Ef3Gh4{X}=",
    f"MIIEpAIBAAKCAQEA7{X}aaaaaaaaa\n{X}aaaaaaaaaaaaaaaaaaaaaa==",
    f"ca: LS0tLS1CRUdJTi{X}",
]
LEFT = (X, "UzNj", "550e8400", "AKIA", "theme")


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_goes(text: str) -> None:
    """In the middle of a text too, and what was done once is not done again."""
    assert any(mark in text for mark in LEFT)
    for whole in (text, f"I1124 agent.go:7] {text}\nnext: line"):
        clean = without_secrets(whole)
        assert [mark for mark in LEFT if mark in clean] == []
        assert without_secrets(clean) == clean


@pytest.mark.parametrize("text", SECRETS)
def test_no_map_knows_a_secret(text: str) -> None:
    """Otherwise it would come back with the names."""
    redaction = Redaction(bytes(16))
    hidden(text, redaction)
    known = [*redaction.table.shaped, *(w for k in redaction.table.numbered.values() for w in k)]
    assert [word for word in known if any(mark in word for mark in LEFT)] == []


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"password":"a b","mode":"c"}', '{"password":"***","mode":"c"}'),
        (r'{"a":"{\"token\":\"abcd\",\"b\":1}"}', r'{"a":"{\"token\":\"***\",\"b\":1}"}'),
        ("password: |\n  abcd\nmode: a", "password: |\n  ***\nmode: a"),
        ("mysql --password abcd --host db", "mysql --password *** --host db"),
        ("x --password 'ab cd' --host db", "x --password '***' --host db"),
        (r"x --password ab\cd --host db", "x --password *** --host db"),
        ("pwd=abc; tokens=512; psk: off", "pwd=***; tokens=512; psk: off"),
        ("AccountKey=abcd;Endpoint=b", "AccountKey=***;Endpoint=b"),
        ('curl -H "Cookie: a=b; c=d" https://x', 'curl -H "Cookie: ***" https://x'),
        ('-H "Authorization: Bearer abcdefgh" -v', '-H "Authorization: ***" -v'),
    ],
)
def test_what_stands_around_it_stays(text: str, clean: str) -> None:
    """JSON stays JSON, and the next setting can be read."""
    assert without_secrets(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        '-A KUBE-SERVICES -p tcp -m comment --comment "default/token:http cluster IP" -j KUBE-SVC-TCOU',
        "-A KUBE-SEP-A -m comment --comment token -j KUBE-SEP-TCOU7JCQXEZGVUNU",
        "ip daddr 10.0.0.1 jump service-ABCDEFG2-default/token/tcp/p80 : goto x12345678",
        "--cluster-cidr=10.244.0.0/16 --token-auth-file=/etc/kubernetes/tokens.csv",
        "--enable-bootstrap-token-auth true",
        "invalid bearer token",
        "bearer authentication failed, Basic connectivity is there",
        "the token is expired at 2026-11-24T03:32:06Z",
        "secret kube-system/default-token-x7k2p not found",
        'secrets "cilium-ca" is forbidden',
        "quay.io/x/external-secrets:v0.9.1",
        "http://auth-token:50051/x",
        "secretName: cilium-ca",
        "secret:\n  name: cilium-ca",
        "PWD=/root/x",
        "bypass: 12345, pass: 123456",
        "net.ipv4.tcp_fastopen_key = 0",
        "gre key 0x12345678",
        "nodeport-token.default.svc.cluster.local",
        "authorization:\n  mode: Webhook",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    """Checks read rules, settings and names."""
    assert without_secrets(text) == text


SIZE = 200_000
NASTY = [
    ("", "token", ""), ("", "a", "-"), ("://", "a", "@"), ("token", " ", "x"), ("", "eyJ-", ""),
    ("", "eyJaaaaaaaa.", ""), ("", "psk-", ""), ("", "token=", ""), ("", 'token="', ""),
    ("", "--token ", ""), ("", "-", "x"), ("", "token\\", '"'), ("token=", "\\", '"'),
    ("", "key=aaaaaaaaaaaaaaaa", ""), ("", "-----BEGIN ", "-"), ("-----BEGIN A-----", "-----END ", ""),
    ("", "MIIaaaaaaaaaaaaaaaaaaaaaaaaaaa ", "!"), ("", "cookie: ", ""), ("", "authorization:", ""),
    ("", "authorization: digest ", ""), ("", "token ", ""), ("", "Bearer ", ""), ("", "x/token:a", ""),
    ("", "0a", ""), ("", "://", ""), ("", "token=aaaa\n" + "a" * 32, "!"), ("", "private ", "key"),
]  # fmt: skip


@pytest.mark.parametrize("case", NASTY)
def test_nothing_that_a_node_sends_takes_long(case: tuple[str, str, str]) -> None:
    """Quadratic, these take minutes; as it is, a fifth of a second at most."""
    before, unit, after = case
    text = before + unit * (SIZE // len(unit)) + after
    start = time.process_time()
    without_secrets(text)
    assert time.process_time() - start < 5
