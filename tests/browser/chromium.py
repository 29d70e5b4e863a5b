"""Headless Chromium over its debugging pipe: no driver, no port, no package of its own.

Messages are JSON, each ended by a NUL byte: the browser reads file descriptor 3 and writes 4.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-extensions", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
SECONDS = 60.0
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")


def executable() -> str | None:
    """The machine's own browser, or Debian's, installed here."""
    if not _found():
        _install()
    return _found()


def _found() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _install() -> None:
    """Install Debian's packages, where this process may."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", *words], env=quiet, check=True, capture_output=True)


class Page:
    """One page, and everything that it said, did or asked for."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol."""
        return self._browser.call(method, parameters, self._session, self.events)

    def open(self, file: Path, *, scripts: bool = True) -> float:
        """Load a file; seconds until it was loaded and, where scripts can tell, drawn."""
        begun = time.monotonic()
        known = len(self.events)
        self.call("Page.navigate", url=file.as_uri())
        if not any(e["method"] == "Page.loadEventFired" for e in self.events[known:]):
            self._browser.until("Page.loadEventFired", self._session, self.events)
        if scripts:
            self.run(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
        return time.monotonic() - begun

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True,
            userGesture=True,
        )  # fmt: skip
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        """Size of the window, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=2 if phone else 1, mobile=phone,
        )  # fmt: skip

    def media(self, *, dark: bool = False, kind: str = "screen") -> None:
        """Light or dark, screen or paper."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=kind, features=[scheme])

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Save what is seen as PNG."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(found["data"]))

    def paper(self) -> bytes:
        """The page as PDF."""
        found = self.call(
            "Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.7
        )
        return base64.b64decode(found["data"])

    def complaints(self) -> list[str]:
        """Exceptions, violations of the page's policy, and errors of the console."""
        said = []
        for event in self.events:
            match event["method"]:
                case "Runtime.exceptionThrown":
                    said.append(str(event["params"]["exceptionDetails"]))
                case "Log.entryAdded":
                    said.append(str(event["params"]["entry"]["text"]))
                case "Runtime.consoleAPICalled":
                    said.append(str(event["params"]["args"]))
                case "Page.javascriptDialogOpening":
                    said.append(f"dialog: {event['params']['message']}")
        return said

    def requests(self) -> list[str]:
        """Addresses that were asked for."""
        sent = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [str(e["params"]["request"]["url"]) for e in sent]


class Browser:
    """A running Chromium."""

    def __init__(self, executable: str, folder: Path) -> None:
        down, self._out = os.pipe()
        self._in, up = os.pipe()
        self._buffer = b""
        self._number = 0

        self._process = subprocess.Popen(
            # Bash puts the pipes where Chromium expects them; both may be 3 or 4 here.
            ["bash", "-c", f'exec 97<&{down} 98>&{up}; exec "$@" 3<&97 4>&98', "bash", executable, *FLAGS,
             f"--user-data-dir={folder}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(down, up),
        )  # fmt: skip
        os.close(down)
        os.close(up)

    def page(self) -> Page:
        """A new page."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        return Page(self, attached["sessionId"])

    def call(
        self,
        method: str,
        parameters: dict[str, Any],
        session: str | None = None,
        events: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Send a command and wait for its answer; what comes between is kept in `events`."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        for found in self._messages():
            if found.get("id") == self._number:
                assert "error" not in found, (method, found["error"])
                result: dict[str, Any] = found["result"]
                return result
            if events is not None and found.get("sessionId") == session:
                events.append(found)
        raise AssertionError(f"Chromium ended during {method}")

    def until(self, method: str, session: str, events: list[dict[str, Any]]) -> None:
        """Wait for an event that comes after this call."""
        for found in self._messages():
            if found.get("sessionId") == session:
                events.append(found)
                if found["method"] == method:
                    return

    def _messages(self) -> Iterator[dict[str, Any]]:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            while b"\0" in self._buffer:
                one, self._buffer = self._buffer.split(b"\0", 1)
                yield json.loads(one)
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            more = os.read(self._in, 1 << 16) if ready else b""
            if not more:
                return
            self._buffer += more

    def close(self) -> None:
        """End it and everything that it started."""
        self._process.terminate()
        self._process.wait(timeout=20)
        os.close(self._out)
        os.close(self._in)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    """A Chromium with a profile of its own, gone afterwards."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        Browser(executable, Path(folder)) as running,
    ):
        yield running
