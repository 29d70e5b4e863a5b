"""`python -m kubectl_netdoctor.agent`."""

from __future__ import annotations

import sys

from kubectl_netdoctor.agent.signals import end_at_once_on_signals

if __name__ == "__main__":
    # First of all: as process 1 of a container the kernel ignores SIGTERM until a handler is there.
    end_at_once_on_signals()

    if sys.argv[1:2] == ["--respond"]:
        from kubectl_netdoctor.agent.responder import respond

        respond(sys.argv[2:])

    from kubectl_netdoctor.agent.main import main

    main()
