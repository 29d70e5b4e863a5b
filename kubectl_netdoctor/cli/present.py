"""From a snapshot to what is shown: secrets out, pseudonyms in, accepted findings apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, diagnose
from kubectl_netdoctor.checks.base import Check
from kubectl_netdoctor.cli.bundle import known_ending
from kubectl_netdoctor.cli.packing import RunLog, pack
from kubectl_netdoctor.cli.saved import save
from kubectl_netdoctor.errors import CannotWrite, UsageError
from kubectl_netdoctor.facts.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Prepared:
    """The judgement of the snapshot as it may be shown and saved.

    `hide` is for texts beside it; `keep` writes the map of what was hidden and raises CannotWrite.
    """

    diagnosis: Diagnosis
    hide: Callable[[str], str]
    keep: Callable[[], None]


def prepared(
    snapshot: Snapshot, checks: Mapping[str, Check], options: Mapping[str, Any]
) -> Prepared:
    """Judge what is left of a snapshot when secrets and, if asked for, names are taken out."""
    if options.get("redact"):
        return _redacted(snapshot, checks, options)
    from kubectl_netdoctor.redaction.redact import without_all_secrets
    from kubectl_netdoctor.redaction.secrets import without_secrets

    diagnosis = diagnose(without_all_secrets(snapshot), checks)
    diagnosis = _suppressed(diagnosis, options.get("suppressions"), str, str)
    return Prepared(diagnosis, without_secrets, lambda: None)


def _redacted(
    snapshot: Snapshot, checks: Mapping[str, Check], options: Mapping[str, Any]
) -> Prepared:
    from kubectl_netdoctor.cli.redacting import keep, redaction_of
    from kubectl_netdoctor.redaction.mapping import Translator
    from kubectl_netdoctor.redaction.redact import hidden, redact

    redaction = redaction_of(options["map"])
    diagnosis = diagnose(redact(snapshot, redaction), checks)

    def hide(text: str) -> str:
        return hidden(text, redaction)

    original = Translator(redaction).translate
    diagnosis = _suppressed(diagnosis, options.get("suppressions"), original, hide)
    return Prepared(diagnosis, hide, lambda: keep(redaction, options["map"]))


@dataclass(frozen=True, slots=True)
class Scanned:
    """One scan. `told`: the lines of JSON that standard output has got already."""

    prepared: Prepared
    interrupted: bool
    told: Collection[str] | None
    log: RunLog


def finish(scanned: Scanned, options: Mapping[str, Any]) -> int:
    """Save, pack and print; the exit code. Raises CannotWrite after all that could be written."""
    from kubectl_netdoctor.cli.show import code_of, conclude

    diagnosis, failed = scanned.prepared.diagnosis, None
    code = code_of(diagnosis, options, interrupted=scanned.interrupted)
    try:
        if options["save"]:
            save(diagnosis.snapshot, options["save"])
        if options["bundle"]:
            pack(options["bundle"], diagnosis, code, scanned.log, scanned.prepared.hide)
        scanned.prepared.keep()
    except CannotWrite as exc:
        failed = exc
    conclude(diagnosis, options, interrupted=scanned.interrupted, told=scanned.told)
    if failed:
        raise failed
    return code


def early(options: Mapping[str, Any]) -> None:
    """What can be refused before anything is measured. Raises UsageError or BadInput."""
    if options.get("map") and not options.get("redact"):
        raise UsageError("--map goes with --redact")
    if options.get("bundle"):
        known_ending(options["bundle"])
    if options.get("pcap") and not (options.get("bundle") or options.get("dry_run")):
        raise UsageError("--pcap goes with --bundle, which holds the captures")
    if options.get("pcap") and options.get("local"):
        raise UsageError("--pcap goes without --local, which probes no other node")
    for name in ("map", "bundle", "save"):
        file = options.get(name)
        if file and (not Path(file).parent.is_dir() or Path(file).is_dir()):
            raise UsageError(f"--{name}: cannot write {file!r}: no such folder, or no file")
    if options.get("watch") and options.get("bundle"):
        raise UsageError("--watch goes without --bundle")
    if options.get("watch") and any(o.form != "table" or o.file for o in options["output"]):
        raise UsageError("--watch prints changes as text: it goes without -o")
    if options.get("watch") and options.get("redact") and not options.get("map"):
        raise UsageError("--watch --redact needs --map: pseudonyms must stay from scan to scan")
    if options.get("suppressions"):
        from kubectl_netdoctor.cli.suppressions import read_suppressions

        read_suppressions(options["suppressions"])


def _suppressed(
    diagnosis: Diagnosis,
    file: str | None,
    original: Callable[[str], str],
    hide: Callable[[str], str],
) -> Diagnosis:
    """By the day of the run, so that a replay of later says the same."""
    if not file:
        return diagnosis
    from kubectl_netdoctor.analysis.suppression import suppress
    from kubectl_netdoctor.cli.suppressions import read_suppressions

    entries = read_suppressions(file)
    done = suppress(diagnosis, entries, day_of(diagnosis.snapshot), original)
    apart = (dataclasses.replace(s, reason=hide(s.reason)) for s in done.suppressed)
    return dataclasses.replace(done, suppressed=tuple(apart), notes=tuple(map(hide, done.notes)))


def day_of(snapshot: Snapshot) -> date:
    """The day on which a run ended; today for one whose time cannot be read."""
    try:
        return date.fromisoformat(snapshot.run.ended[:10])
    except ValueError:
        return date.today()  # noqa: DTZ011  # the user's own day
