"""`--redact`, `redact` and `unredact`: pseudonyms, and the map that takes them back."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from kubectl_netdoctor.cli.places import distinct, known_compression, writable
from kubectl_netdoctor.cli.saved import load, save
from kubectl_netdoctor.cli.streams import put
from kubectl_netdoctor.cli.whole_file import read_bounded, write_whole
from kubectl_netdoctor.errors import BadInput, ExitCode
from kubectl_netdoctor.facts.codec import DecodeError
from kubectl_netdoctor.redaction import mapping
from kubectl_netdoctor.redaction.redact import Redaction, redact

MAX_MAP = 256 << 20
MAX_TEXT = 256 << 20


def redaction_of(file: str | None) -> Redaction:
    """The redaction of a map that is there already, else a new one."""
    return read_map(file) if file and Path(file).exists() else Redaction()


def keep(redaction: Redaction, file: str | None) -> None:
    """Write the map, for its owner alone."""
    if file:
        write_whole(file, mapping.to_text(redaction).encode(), private=True)


def read_map(file: str) -> Redaction:
    """Read a map. Raises BadInput."""
    data = read_bounded(file, MAX_MAP)
    try:
        return mapping.from_text(data)
    except DecodeError as exc:
        hint = "a map is what redact --map writes"
        raise BadInput(f"{file}: {str(exc)[:200]!r}", hint=hint) from exc


def redact_file(file: str, output: str, map_file: str | None) -> int:
    """Write a redacted copy of a snapshot."""
    written = (("-o", output), ("--map", map_file))
    writable(written)
    known_compression(output)
    distinct((("FILE", file), *written))
    redaction = redaction_of(map_file)
    hidden = redact(load(file), redaction)
    keep(redaction, map_file)  # first: a copy without its map could not be translated back
    save(hidden, output)
    note = f"map: {map_file} (keep it to yourself)" if map_file else "no map: --map FILE writes one"
    click.echo(f"redacted snapshot written to {output}; {note}", err=True)
    return int(ExitCode.CLEAN)


def unredact(file: str, map_file: str) -> int:
    """Print a text, with what the pseudonyms stand for."""
    redaction = read_map(map_file)
    try:
        if file == "-":
            if isinstance(sys.stdin, io.TextIOWrapper):
                sys.stdin.reconfigure(
                    encoding="utf-8", errors="strict"
                )  # as files are, and reports
            text = sys.stdin.read(MAX_TEXT + 1)
        else:
            with Path(file).open(encoding="utf-8") as stream:
                text = stream.read(MAX_TEXT + 1)
    except (OSError, ValueError) as exc:
        hint = "unredact reads text: a report, a mail, the JSON of a snapshot without .gz"
        why = getattr(exc, "strerror", None) or exc
        raise BadInput(f"cannot read {file!r} as text: {why}", hint=hint) from exc
    if len(text) > MAX_TEXT:
        raise BadInput(f"{file} is larger than {MAX_TEXT >> 20} MiB")
    put(mapping.Translator(redaction).translate(text), utf8=True)
    return int(ExitCode.CLEAN)
