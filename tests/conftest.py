"""What holds for all tests."""

from __future__ import annotations

import signal

# A shell that starts this in the background has Ctrl-C ignored, and every program started from here
# would inherit that: tests that interrupt a scan would see it run to its end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
