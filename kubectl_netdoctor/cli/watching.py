"""`scan --watch`: the whole result once, then what changed from scan to scan, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import click

from kubectl_netdoctor.analysis.diff import Diff, diff
from kubectl_netdoctor.cli.present import Prepared, Scanned, finish
from kubectl_netdoctor.cli.saved import save
from kubectl_netdoctor.cli.show import code_of
from kubectl_netdoctor.cli.streams import reader_gone
from kubectl_netdoctor.errors import CannotWrite, Interrupted, NetdoctorError
from kubectl_netdoctor.report.differences import changes
from kubectl_netdoctor.report.terminal import clean, style_of

Scan = Callable[[], Scanned]
Sleep = Callable[[float], None]


def watch(scan: Scan, options: Mapping[str, Any], *, sleep: Sleep = time.sleep) -> int:
    """Scan until interrupted; the exit code is that of the last scan that ended by itself.

    Between scans there is nothing in the cluster, and a scan that is interrupted removes its own.
    """
    first = scan()
    code = finish(first, options)
    if first.interrupted or reader_gone():
        return code
    last = first.prepared.diagnosis
    try:
        while not reader_gone():  # `| head`: nobody is told any more
            sleep(options["interval"])
            try:
                scanned = scan()
            except Interrupted:
                break
            except NetdoctorError as exc:
                # The cluster that is being repaired may be away for a while.
                click.echo(f"error: {clean(exc.message)}", err=True)
                code = int(exc.exit_code)
                continue
            if scanned.interrupted:
                break
            current = scanned.prepared.diagnosis
            code = code_of(current, options)
            _write(scanned.prepared, options)
            _tell(diff(last, current))
            last = current
    except KeyboardInterrupt:
        pass
    click.echo("watch ended", err=True)
    return code


def _write(prepared: Prepared, options: Mapping[str, Any]) -> None:
    """A file that cannot be written ends nothing: the next scan tries again."""
    try:
        prepared.keep()
        if options["save"]:
            save(prepared.diagnosis.snapshot, options["save"])
    except CannotWrite as exc:
        click.echo(f"error: {clean(exc.message)}", err=True)


def _tell(found: Diff) -> None:
    """Changes go to standard output, that nothing changed to standard error."""
    end = found.after.snapshot.run.ended
    if found.different:
        sys.stdout.write(f"\n{clean(end)}  {changes(found, style_of(sys.stdout))}")
        sys.stdout.flush()
    else:
        click.echo(f"{clean(end)}  no change: {clean(found.after.verdict.text)}", err=True)
