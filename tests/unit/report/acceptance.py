"""A recorded fault that somebody has accepted, with everything that it explains."""

from __future__ import annotations

from datetime import date

from kubectl_netdoctor.analysis.diagnosis import Diagnosis
from kubectl_netdoctor.analysis.suppression import Suppression, suppress
from tests.unit.recorded import judged, recorded

REASON = "known since spring"
EXPIRES = "2027-01-01"


def accepted(name: str) -> Diagnosis:
    """The first finding accepted, by its ID."""
    found = judged(recorded(name))
    entry = Suppression(found.findings[0].finding.id, REASON, date.fromisoformat(EXPIRES))
    return suppress(found, [entry], date(2026, 11, 23))
