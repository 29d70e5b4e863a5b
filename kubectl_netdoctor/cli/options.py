"""Options that several commands share: kubectl's own, output, and the choice of checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubectl_netdoctor.cli.outputs import OutputTo, together

F = TypeVar("F", bound=Callable[..., Any])

SEVERITIES = ("critical", "high", "medium", "low")
_UNITS = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "h": 3600.0}


class Seconds(click.ParamType[float]):
    """A duration as kubectl writes it: 30, 30s, 1m, 1m30s, 500ms."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds."""
        if isinstance(value, int | float):
            return float(value)
        parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", value)
        if not parts or "".join(n + u for n, u in parts) != value:
            self.fail(f"{value!r} is no duration: write 30s, 1m or 500ms", param, ctx)
        return float(sum(float(n) * _UNITS[u] for n, u in parts))


class Target(click.ParamType[tuple[str, int | None]]):
    """A place as URLs write it: host, host:port, [IPv6]:port, or an IPv6 address alone."""

    name = "target"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int | None]:
        """Host and port."""
        if isinstance(value, tuple):
            return value
        form = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?", value)
        form = form or re.fullmatch(r"([^:\[\]\s]+)(?::(\d{1,5}))?", value)
        host, port = form.groups() if form else (value, None)
        number = None if port is None else int(port)
        if not _is_host(host) or (number is not None and not 0 < number < 65536):
            self.fail(f"{value!r} is no target: write HOST, HOST:PORT or [IPV6]:PORT", param, ctx)
        return host, number


def _is_host(text: str) -> bool:
    """An IP address, or a name that DNS can carry (RFC 1123)."""
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        label = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
        return len(text) < 254 and re.fullmatch(rf"{label}(\.{label})*\.?", text) is not None
    return True


KUBE_OPTIONS = (
    click.option(
        "--kubeconfig", metavar="FILE", help="Kubeconfig; else KUBECONFIG, ~/.kube/config."
    ),
    click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
    click.option("--cluster", metavar="NAME", help="Cluster of the kubeconfig."),
    click.option("--user", metavar="NAME", help="User of the kubeconfig."),
    click.option("--as", "as_user", metavar="USER", help="Impersonate this user."),
    click.option("--as-group", multiple=True, metavar="GROUP", help="Impersonate this group."),
    click.option("--request-timeout", type=Seconds(), metavar="TIME", help="Of one API request."),
    click.option("-n", "--namespace", metavar="NAME", help="Namespace for the Jobs."),
    click.option("-s", "--server", metavar="URL", help="API server."),
    click.option("--token", metavar="TOKEN", help="Bearer token."),
    click.option(
        "--insecure-skip-tls-verify", is_flag=True, help="Do not verify the server's certificate."
    ),
)


def kube_options(function: F) -> F:
    """Add kubectl's connection options."""
    for option in reversed(KUBE_OPTIONS):
        function = option(function)
    return function


def report_options(function: F) -> F:
    """Add the options of everything that prints a diagnosis."""
    options = (
        click.option(
            "-o", "--output", type=OutputTo(), multiple=True, callback=together,
            help="Format of the result: table (default), wide, short, json, yaml, markdown, html, "
            "junit, sarif, jsonl. Repeatable: all but one need a FILE.",
        ),
        click.option(
            "--fail-on", type=click.Choice(SEVERITIES), default="high", show_default=True,
            help="Exit 1 on findings of this severity or worse.",
        ),
        click.option("--select", multiple=True, metavar="ID", help="Only checks with this prefix."),
        click.option("--ignore", multiple=True, metavar="ID", help="No checks with this prefix."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function
