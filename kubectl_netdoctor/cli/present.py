"""From a snapshot to what is shown: secrets out, pseudonyms in, accepted findings apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kubectl_netdoctor.analysis.diagnosis import Diagnosis, diagnose
from kubectl_netdoctor.checks.base import Check
from kubectl_netdoctor.cli.attempts import each
from kubectl_netdoctor.cli.bundle import known_ending
from kubectl_netdoctor.cli.outputs import to_screen
from kubectl_netdoctor.cli.packing import RunLog, pack
from kubectl_netdoctor.cli.places import Place, distinct, known_compression, writable
from kubectl_netdoctor.cli.saved import save
from kubectl_netdoctor.cli.streams import check_output
from kubectl_netdoctor.errors import UsageError
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

    diagnosis = scanned.prepared.diagnosis
    code = code_of(diagnosis, options, interrupted=scanned.interrupted)

    def archive() -> None:
        if options["save"]:
            save(diagnosis.snapshot, options["save"])

    def bundle() -> None:
        if options["bundle"]:
            pack(options["bundle"], diagnosis, code, scanned.log, scanned.prepared.hide)

    # The map first: without it nobody could translate the others back.
    each(
        scanned.prepared.keep,
        archive,
        bundle,
        lambda: conclude(diagnosis, options, code, told=scanned.told),
    )
    return code


def early(options: Mapping[str, Any], *read: Place) -> None:
    """What can be refused before anything is measured; `read`: the files that are input.

    Raises UsageError, BadInput or CannotWrite.
    """
    _combinations(options)
    _places(options, read)
    if options.get("map"):
        from kubectl_netdoctor.cli.redacting import redaction_of

        redaction_of(options["map"])
    if options.get("suppressions"):
        from kubectl_netdoctor.cli.suppressions import read_suppressions

        read_suppressions(options["suppressions"])


def _places(options: Mapping[str, Any], read: tuple[Place, ...]) -> None:
    """Every file is writable and another one, and standard output is open where it is wanted."""
    written: list[Place] = [(f"--{name}", options.get(name)) for name in ("map", "save", "bundle")]
    written += [(f"-o {output.form}", output.file) for output in options["output"]]
    writable(written)
    known_compression(options.get("save") or "")
    if options.get("bundle"):
        known_ending(options["bundle"])
    read = (*read, ("--suppressions", options.get("suppressions")))
    if to_screen(options["output"]):
        check_output()
        read = (*read, ("standard output", "/dev/stdout"))
    distinct((*read, *written))


def _combinations(options: Mapping[str, Any]) -> None:
    """Options that make no sense together, or alone."""
    if options.get("map") is not None and not options.get("redact"):
        raise UsageError("--map goes with --redact")
    if options.get("pcap") and not (options.get("bundle") or options.get("dry_run")):
        raise UsageError("--pcap goes with --bundle, which holds the captures")
    if options.get("pcap") and options.get("local"):
        raise UsageError("--pcap goes without --local, which probes no other node")
    if options.get("watch") and options.get("bundle"):
        raise UsageError("--watch goes without --bundle")
    if options.get("watch") and any(o.form != "table" or o.file for o in options["output"]):
        raise UsageError("--watch prints changes as text: it goes without -o")
    if options.get("watch") and options.get("redact") and not options.get("map"):
        raise UsageError("--watch --redact needs --map: pseudonyms must stay from scan to scan")


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
