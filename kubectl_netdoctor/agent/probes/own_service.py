"""The run's own Service: asked for until it answers, from this node and then from its backend."""

from __future__ import annotations

import asyncio
import time

from kubectl_netdoctor.agent.absence import Absence, NotPresent
from kubectl_netdoctor.agent.companion_news import wait_for_news
from kubectl_netdoctor.agent.pod_namespace import inside
from kubectl_netdoctor.agent.probes import tcp
from kubectl_netdoctor.agent.probes.pacing import Pace
from kubectl_netdoctor.agent.probes.tally import Tally
from kubectl_netdoctor.agent.registry import collector
from kubectl_netdoctor.agent.run import Run
from kubectl_netdoctor.facts.companion import PORT
from kubectl_netdoctor.facts.own_service import PATIENCE, OwnService, ServiceTries

_EVERY, _EACH = 0.1, 0.5  # seconds between two tries, and that one try may take
_HAIRPIN = 5


@collector("own_service")
def own_service(run: Run) -> OwnService:
    """Raises NotPresent where the run has no Service of its own, or no companion runs here."""
    if not run.plan.convergence:
        raise NotPresent("the run has no Service of its own (--convergence)")
    news = wait_for_news(run)
    if not news.service or not news.own:
        raise NotPresent("the run's own Service was not made, or has no companion here")
    start = time.monotonic()
    end = min(start + PATIENCE, run.started + run.plan.deadline_seconds - 2.0)
    tally, seconds = asyncio.run(_until_answered(news.service, start, end))
    hairpin, why = None, None
    if seconds is not None:
        try:
            hairpin = _tries(
                inside(
                    run.host, run.plan.run, news.own, lambda: asyncio.run(_hairpin(news.service))
                )
            )
        except Absence as absence:
            why = str(absence)
    return OwnService(
        address=news.service,
        port=PORT,
        waited=round((end if seconds is None else time.monotonic()) - start, 3),
        seconds=seconds,
        node=_tries(tally),
        hairpin=hairpin,
        inside=why,
    )


async def _until_answered(address: str, start: float, end: float) -> tuple[Tally, float | None]:
    tally = Tally()
    while time.monotonic() < end:
        outcome = await tcp.connect(address, PORT, _EACH)
        tally.sent += 1
        if not isinstance(outcome, str):
            tally.answered(outcome)
            return tally, round(time.monotonic() - start, 3)
        tally.failed(outcome)
        await asyncio.sleep(_EVERY)
    return tally, None


async def _hairpin(address: str) -> Tally:
    return await tcp.connect_often(address, PORT, Pace(time.monotonic(), 0.5), _HAIRPIN, 1.0)


def _tries(tally: Tally) -> ServiceTries:
    return ServiceTries(tally.sent, tally.received, dict(sorted(tally.errors.items())))
