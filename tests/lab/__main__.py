"""The lab from a command line: `python -m tests.lab`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.lab import agent_image, build
from tests.lab.bringup import cni_choices
from tests.lab.errors import LabError
from tests.lab.lab import DEFAULT_CNI, DEFAULT_NODES, Lab
from tests.lab.leftovers import sweep
from tests.lab.machine import missing
from tests.lab.spec import DEFAULT_NAME

CANNOT = 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    name = argparse.ArgumentParser(add_help=False)
    name.add_argument(
        "--name",
        default=argparse.SUPPRESS,
        help=f"which lab (NETDOCTOR_LAB_NAME, else {DEFAULT_NAME})",
    )
    top = argparse.ArgumentParser(
        prog="python -m tests.lab", description=build.__doc__, parents=[name]
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(
        word: str, about: str, do: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        found = verbs.add_parser(word, help=about, description=about, parents=[name])
        found.set_defaults(do=do)
        return found

    verb("build", "build what the lab is made of", _build)
    verb("agent-image", "build the agent image of this checkout", _agent_image)
    up = verb("up", "start a lab", _up)
    up.add_argument("count", nargs="?", type=int, default=DEFAULT_NODES, metavar="N")
    up.add_argument("--cni", choices=cni_choices(), default=DEFAULT_CNI)
    verb("down", "remove a lab with everything of it", _down)
    run = verb("exec", "run a command on a node, or in the rack", _exec)
    run.add_argument("node", metavar="NODE")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    for word, about in (("stop", "stop at once"), ("start", "start again")):
        one = verb(word, f"{about}: a node (n2), a component (etcd), a daemon (kubelet@n3)", _power)
        one.add_argument("what", metavar="NAME")
    load = verb("load", "import image archives into every node", _load)
    load.add_argument("archives", nargs="+", type=Path, metavar="TAR")
    verb("status", "say what runs", _status)
    verb("health", "say what is not well", _health)
    verb("sweep", "remove labs whose owner has ended", _sweep)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks; the exit code is 2 where this machine cannot run a lab."""
    asked = parser().parse_args(argv)
    if asked.verb in {"build", "agent-image", "up"}:
        lacking = missing()
        if lacking:
            print("\n".join(lacking), file=sys.stderr)
            return CANNOT
    try:
        code: int = asked.do(asked)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return code


def _lab(asked: argparse.Namespace) -> Lab:
    return Lab(getattr(asked, "name", None))


def _build(_: argparse.Namespace) -> int:
    build.ensure(build.say_on_stderr)
    return 0


def _agent_image(_: argparse.Namespace) -> int:
    print(agent_image.ensure(build.say_on_stderr))
    return 0


def _up(asked: argparse.Namespace) -> int:
    lab = _lab(asked)
    lab.up(asked.count, asked.cni)
    print(f"python -m tests.lab --name {lab.name} exec rack -- kubectl get pods -A")
    return 0


def _down(asked: argparse.Namespace) -> int:
    _lab(asked).down()
    return 0


def _exec(asked: argparse.Namespace) -> int:
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    if not command:
        message = "exec: which command?"
        raise LabError(message)
    _lab(asked).become(asked.node, command)
    return 0


def _power(asked: argparse.Namespace) -> int:
    lab = _lab(asked)
    (lab.stop if asked.verb == "stop" else lab.start)(asked.what)
    return 0


def _load(asked: argparse.Namespace) -> int:
    _lab(asked).load(*asked.archives)
    return 0


def _status(asked: argparse.Namespace) -> int:
    print("\n".join(_lab(asked).status()))
    return 0


def _health(asked: argparse.Namespace) -> int:
    sentences = _lab(asked).healthy()
    print("\n".join(sentences) or "healthy")
    return 1 if sentences else 0


def _sweep(_: argparse.Namespace) -> int:
    print("\n".join(sweep()) or "nothing to sweep")
    return 0


if __name__ == "__main__":
    sys.exit(main())
