"""What was saved is judged alike for ever, and a hostile file costs one sentence."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_netdoctor.analysis.engine import Skipped
from kubectl_netdoctor.cli.app import main
from kubectl_netdoctor.cli.bundle import MAX_MEMBERS, write_bundle
from kubectl_netdoctor.cli.saved import load, read, save, to_bytes
from kubectl_netdoctor.errors import BadInput
from kubectl_netdoctor.facts import codec, snapshot
from kubectl_netdoctor.report.document import document
from tests.e2e.faults import FAULTS
from tests.unit.recorded import FOLDER, healthy, judged, recorded

PLAIN = gzip.decompress((FOLDER / "fdb_entry_deleted.json.gz").read_bytes())
DATA = json.loads(PLAIN)


@pytest.mark.parametrize("name", ["healthy", *FAULTS])
def test_a_saved_snapshot_is_judged_byte_for_byte_alike(name: str, tmp_path: Path) -> None:
    """Saved, read, saved again: one file; judged: one document."""
    first = recorded(name)
    save(first, str(tmp_path / "a.json.gz"))
    again = load(str(tmp_path / "a.json.gz"))
    assert to_bytes(again) == to_bytes(first)
    texts = [json.dumps(document(judged(s), exit_code=0)) for s in (first, again)]
    assert texts[0] == texts[1]


def skips(data: dict[str, Any], check: str) -> set[str]:
    """Why a check was skipped on a snapshot."""
    cells = judged(snapshot.from_json(data)).coverage
    return {
        c.outcome.missing.detail
        for c in cells
        if c.check.id == check and isinstance(c.outcome, Skipped)
    }


def test_a_check_that_is_newer_than_the_snapshot_says_so() -> None:
    """Neither unmeasured nor passed: the tool of then did not know it."""
    data = json.loads(PLAIN)
    data.pop("known_facts", None)
    for node in data["nodes"]:
        node["envelope"]["facts"].pop("conntrack")
    known = sorted(
        {k for n in DATA["nodes"] for k in n["envelope"]["facts"]} | DATA["cluster"].keys()
    )
    newer = {"new since then: the tool that saved this (0.1.0) did not collect it yet"}
    assert skips(data, "CT-01") == newer  # it chose all checks, and no node has the fact
    without = [k for k in known if k != "conntrack"]
    assert skips({**data, "known_facts": without}, "CT-01") == newer
    assert skips({**data, "known_facts": known}, "CT-01") == {"the plan did not ask for it"}
    data["run"]["command"].append("--select=DNS")
    assert skips(data, "CT-01") == {"the plan did not ask for it"}


def test_a_new_snapshot_says_what_its_tool_knew() -> None:
    """So that a tool of later can tell what is new."""
    fresh = snapshot.Snapshot(healthy().run, (), {})
    assert "conntrack" in (fresh.known_facts or ())
    assert snapshot.from_json(codec.loads(to_bytes(fresh))) == fresh


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schemaVersion": 0}, "schema version 0, this tool reads 1"),
        ({"schemaVersion": 2}, "schema version 2, this tool reads 1"),
        ({"cluster": {"a fact of later": {}}}, "unknown fact 'a fact of later'"),
    ],
)
def test_another_schema_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    """And a newer tool's file with that tool's version."""
    with pytest.raises(BadInput, match=words):
        read(json.dumps({**DATA, **changes}).encode(), "x")
    data = json.loads(PLAIN)
    data["run"]["tool_version"] = "99.1.0"
    with pytest.raises(BadInput, match=r"saved by version 99\.1\.0"):
        read(json.dumps({**data, **changes}).encode(), "x")


def tarred(*members: tuple[str, bytes, bytes]) -> bytes:
    """An archive of (name, type, content)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size = kind, len(content)
            info.linkname = "/etc/shadow" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(out.getvalue())


REG = tarfile.REGTYPE
HOSTILE = {
    "NaN": (PLAIN.replace(b'"window_seconds": 1.0', b'"window_seconds": NaN', 1), "NaN"),
    "infinity": (PLAIN.replace(b'"window_seconds": 1.0', b'"window_seconds": 1e999', 1), "finite"),
    "twice": (b'{"kind": "netdoctor-snapshot", "kind": 1}', "twice"),
    "digits": (b'{"kind": ' + b"9" * 100_000 + b"}", "not JSON"),
    "huge": (PLAIN.replace(b'"index": 1,', b'"index": 1%s,' % (b"0" * 300), 1), "out of range"),
    "deep": (b'{"kind": ' * 100_000, "not JSON"),
    "utf-8": (b'{"kind": "\xff\xfe"}', "not JSON"),
    "escape": (b'{"kind": "netdoctor-snapshot", "schemaVersion": "\\u001b[2J"}', "schema version"),
    "member": (gzip.compress(PLAIN) + gzip.compress(PLAIN), "follows the end"),
    "traversal": (tarred(("../../etc/cron.d/x", REG, b"x")), "holds no snapshot.json"),
    "absolute": (tarred(("/snapshot.json", REG, PLAIN)), "holds no snapshot.json"),
    "symlink": (tarred(("netdoctor-x/snapshot.json", tarfile.SYMTYPE, b"")), "no plain file"),
    "hard link": (tarred(("netdoctor-x/snapshot.json", tarfile.LNKTYPE, b"")), "no plain file"),
    "device": (tarred(("netdoctor-x/snapshot.json", tarfile.CHRTYPE, b"")), "no plain file"),
    "no manifest": (tarred(("netdoctor-x/snapshot.json", REG, PLAIN)), "holds no manifest"),
    "changed": (
        tarred(("netdoctor-x/snapshot.json", REG, PLAIN), ("netdoctor-x/manifest.json", REG, b"{}")),
        "was changed",
    ),
    "many": (
        tarred(*[(str(i), REG, b"") for i in range(MAX_MEMBERS + 1)]),
        f"more than {MAX_MEMBERS} members",
    ),
    "tar in tar": (
        tarred(("netdoctor-x/snapshot.json", REG, b"a"), ("netdoctor-x/snapshot.json", REG, b"b")),
        "twice",
    ),
    "cut tar": (gzip.compress(gzip.decompress(tarred(("netdoctor-x/snapshot.json", REG, PLAIN)))[:2000]), "bundle"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence(name: str) -> None:
    """Named, on one line, without what would steer a terminal."""
    content, words = HOSTILE[name]
    with pytest.raises(BadInput, match=words) as refused:
        read(content, "x")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 400


def test_a_key_of_the_file_cannot_steer_the_terminal() -> None:
    """Errors quote keys."""
    cluster = {"nodes": {"items": [{"\x1b]0;pwned\x07" + "x" * 5000: 1}]}}
    with pytest.raises(BadInput) as refused:
        read(json.dumps({**DATA, "cluster": cluster}).encode(), "x")
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 400


@pytest.mark.parametrize(
    "text",
    [
        "gzip.compress(b' ' * (600 << 20), 1)",  # a zip bomb
        "gzip.compress(b'[' + b'[],' * (170 << 20) + b'[]]', 1)",  # values, 20 times their text
        "b'[' * (30 << 20)",
    ],
)
def test_a_bomb_stays_within_memory(text: str, tmp_path: Path) -> None:
    """Three quarters of a GiB of text would be ten of objects: refused before."""
    file = tmp_path / "bomb"
    code = f"import gzip; open({str(file)!r}, 'wb').write({text})"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    done = subprocess.run(
        [sys.executable, "-m", "kubectl_netdoctor", "analyze", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)),
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "text",
    [
        "b'[\"' + '\\U0001f600'.encode() + b'a' * (200 << 20) + b'\"]'",  # 4 bytes a character
        "b'{' + b','.join(b'\"%x\":0' % i for i in range(9_000_000)) + b'}'",  # all names differ
    ],
)
def test_what_grows_in_memory_stays_within_one_gibibyte(text: str, tmp_path: Path) -> None:
    """Within the bounds on text and values, and larger than both when it is read."""
    file = tmp_path / "bomb.gz"
    code = f"import gzip; open({str(file)!r}, 'wb').write(gzip.compress({text}, 1))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    code = (
        "import resource, sys\n"
        "from kubectl_netdoctor.cli.saved import load\n"
        "from kubectl_netdoctor.errors import BadInput\n"
        "before = resource.getrlimit(resource.RLIMIT_AS)\n"
        f"try: load({str(file)!r})\n"
        "except BadInput as exc: print(exc.message)\n"
        "assert resource.getrlimit(resource.RLIMIT_AS) == before\n"
        "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1 << 20\n"  # KiB
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "it would need more than 960 MiB of memory" in done.stdout


def test_a_stricter_limit_of_the_user_is_kept() -> None:
    """`ulimit -v` is no wider while a file is read."""
    code = (
        "import resource\n"
        "from kubectl_netdoctor.cli.memory import bounded\n"
        "resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 700 << 20))\n"
        "with bounded(1 << 30): now = resource.getrlimit(resource.RLIMIT_AS)\n"
        "assert now == (600 << 20, 700 << 20) == resource.getrlimit(resource.RLIMIT_AS)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "this is no snapshot of netdoctor: it is empty"),
        (gzip.compress(b""), "this is no snapshot of netdoctor: it is empty"),
        (b"PK\x03\x04 and more", "this is no snapshot of netdoctor: it is a zip archive"),
        (b"\n<!doctype html><p>", "this is no snapshot of netdoctor: it is HTML or XML"),
        (b"kind: Pod", "not JSON, from line 1, column 1 on"),
        (b"\x80\x81", "not JSON: byte 0 is no UTF-8"),
        (json.dumps({**DATA, "extra": 1}).encode(), r"\$: unknown field 'extra'"),
        (
            json.dumps({**DATA, "nodes": [{**DATA["nodes"][0], "extra": 1}]}).encode(),
            r"\$\.nodes\[0\]: unknown field 'extra'",
        ),
    ],
)
def test_what_is_no_snapshot_is_named(content: bytes, words: str) -> None:
    """In words that say what to do, not in those of Python's parsers."""
    with pytest.raises(BadInput, match=words) as refused:
        read(content, "x")
    assert refused.value.hint == "a snapshot is what scan --save writes"


def command(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """One command in a process of its own: exit code, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "kubectl_netdoctor", *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    """Instead of waiting for ever; a folder is one sentence too."""
    os.mkfifo(tmp_path / "pipe")
    saved = str(FOLDER / "healthy.json.gz")
    for arguments in (("analyze", str(tmp_path / "pipe")), ("diff", saved, str(tmp_path / "pipe"))):
        code, out, err = command(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"error: cannot read {tmp_path / 'pipe'}: it is no file\n")
    code, _, err = command("analyze", str(tmp_path))
    assert (code, err) == (2, f"error: cannot read {tmp_path}: Is a directory\n")


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_read(name: str) -> None:
    """A snapshot in a pipe of the shell."""
    code, out, err = command("analyze", name, "-o", "json", stdin=PLAIN)
    assert code == 1, err
    assert "ENC-05" in {f["id"] for f in json.loads(out)["findings"]}


def test_diff_takes_secrets_out_like_analyze(tmp_path: Path) -> None:
    """A password in the comment of a rule that a finding quotes."""
    text = (FOLDER / "vxlan_port_blocked.json.gz").read_bytes()
    rule = b"-p udp -m udp --dport 8472 -j DROP"
    plain = gzip.decompress(text)
    assert rule in plain
    told = b"-p udp -m udp --dport 8472 -m comment --comment password=hunter2secret -j DROP"
    (tmp_path / "a.json").write_bytes(plain.replace(rule, told))
    code, out, err = command(
        "diff", str(FOLDER / "healthy.json.gz"), str(tmp_path / "a.json"), "-o", "json"
    )
    assert code == 1, err
    assert "comment" in out
    assert "hunter2secret" not in out


def test_what_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    """A folder, a link into nowhere, a name that no file can have."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in (str(tmp_path), str(tmp_path / "link"), "a\0b"):
        with pytest.raises(BadInput, match="cannot read"):
            load(name)


CUTS = st.tuples(st.integers(0, len(PLAIN)), st.integers(0, 40), st.binary(max_size=12))


@settings(max_examples=60, deadline=None)
@given(st.lists(CUTS, min_size=1, max_size=3), st.booleans())
def test_damaged_bytes_are_refused_or_read(
    changes: list[tuple[int, int, bytes]], zipped: bool
) -> None:
    """Bytes of a real snapshot replaced, cut and added, before or after packing."""
    data = gzip.compress(PLAIN) if zipped else PLAIN
    for at, length, text in changes:
        place = at % (len(data) + 1)
        data = data[:place] + text + data[place + length :]
    try:
        found = read(data, "x")
    except BadInput:
        return
    judged(found)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_in_an_archive_are_refused(content: bytes) -> None:
    """Headers of an archive made of anything."""
    head = content.ljust(257, b"\0")[:257] + b"ustar\0" + content
    with pytest.raises(BadInput):
        read(head.ljust(1024, b"\0"), "x")


STRANGE = ["\ud800", "\x1b[2J", "\u202e", "9" * 5000, "a" * 100_000, "%s{}", "\0"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(STRANGE), st.sampled_from(["table", "wide", "json", "markdown", "short"]))
def test_strange_names_are_printed_harmlessly(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, output: str
) -> None:
    """A node with a name that no API server would take."""
    report = dataclasses.replace(healthy().nodes[0], name=name)
    strange = dataclasses.replace(healthy(), nodes=(report, *healthy().nodes[1:]))
    save(strange, str(tmp_path / "x.json"))
    with pytest.raises(SystemExit) as ended:
        main(["analyze", str(tmp_path / "x.json"), "-o", output])
    out, err = capsys.readouterr()
    assert ended.value.code in (0, 1, 3), err
    assert "\x1b" not in out


def test_a_bundle_is_read_like_its_snapshot(tmp_path: Path) -> None:
    """Without anything being written beside it."""
    file = tmp_path / "b.tar.gz"
    write_bundle(str(file), "abc", {"snapshot.json": to_bytes(healthy()), "report.txt": b"x"})
    assert load(str(file)) == healthy()
    assert [p.name for p in tmp_path.iterdir()] == ["b.tar.gz"]
