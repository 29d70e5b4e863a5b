"""What the lab is made of: Kubernetes from its Go modules, a Debian tree, images of both."""

import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab import images, packages, seed
from tests.lab.cache import Say, cache_root, files_key, key, made
from tests.lab.commands import run
from tests.lab.machine import go_version
from tests.lab.spec import HERE

KUBERNETES = "1.34.4"
BASE_IMAGE = "netlab.local/base:1"
NODE_IMAGE = "netlab.local/node:1"
PAUSE_IMAGE = "netlab.local/pause:1"

SUITE = "bookworm"
BASE_PACKAGES = (
    *("ca-certificates", "conntrack", "ethtool", "iproute2", "ipset", "iptables", "kmod"),
    *("iputils-ping", "libpcap0.8", "nftables", "python3", "python3-pip", "python3-venv"),
)
_WASTE = (
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/man",
    "var/lib/apt/lists",
    "var/cache/apt",
)

_SOURCES = HERE / "src"
_PROGRAMS = ("hyperkube", "coredns", "flanneld", "pause")
_GO_FLAGS = ("-trimpath", "-ldflags", "-s -w {stamp}")
GO_ENV = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}


@dataclass(frozen=True)
class Artifacts:
    """Everything built that a lab starts from."""

    hyperkube: Path
    coredns: Path
    seed: Path
    base_archive: Path
    base_key: str


def ensure(say: Say) -> Artifacts:
    """Build what is not built yet and return all of it."""
    packages.install(say)
    for folder in ("bin", "images"):
        (cache_root() / folder).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        base_tree = pool.submit(_base_tree, say)  # mostly waits for downloads: beside the compiler
        programs = {name: _program(name, say) for name in _PROGRAMS}
        tree = base_tree.result()
    return _with_images(programs, tree, say)


def _program(name: str, say: Say) -> Path:
    """Return a Go program built from the folder of its name."""
    folder = _SOURCES / name
    flags = [flag.format(stamp=_stamp()) for flag in _GO_FLAGS]
    program_key = key(files_key(folder, folder.rglob("*")), go_version(), *flags, str(GO_ENV))

    def compile_it(target: Path) -> None:
        run("go", "build", *flags, "-o", target, ".", cwd=folder, env=GO_ENV)

    return made(cache_root() / "bin" / f"{name}-{program_key}", name, compile_it, say)


def _stamp() -> str:
    """Return the linker's flags that tell Kubernetes its own version."""
    major, minor, _ = KUBERNETES.split(".")
    version = {
        "gitVersion": f"v{KUBERNETES}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    package = "k8s.io/component-base/version"
    return " ".join(f"-X {package}.{name}={value}" for name, value in version.items())


def _base_tree(say: Say) -> Path:
    """Return a minimal Debian with the tools that nodes and the agent use."""
    return debian("base", "Debian base", BASE_PACKAGES, say)


def debian(prefix: str, what: str, wanted_packages: Sequence[str], say: Say) -> Path:
    """Return a minimal Debian with these packages, without what only people read."""
    wanted = ",".join(wanted_packages)

    def bootstrap(target: Path) -> None:
        run("debootstrap", "--variant=minbase", f"--include={wanted}", SUITE, target)
        for waste in _WASTE:
            shutil.rmtree(target / waste, ignore_errors=True)
            (target / waste).mkdir()

    name = f"{prefix}-{key(SUITE, wanted, *_WASTE)}"
    return made(cache_root() / name, what, bootstrap, say)


def _with_images(programs: dict[str, Path], tree: Path, say: Say) -> Artifacts:
    folder = cache_root() / "images"
    writer = files_key(HERE, [HERE / "images.py"])
    base_key = key(writer, tree.name)
    base = made(
        folder / f"base-{base_key}.tar",
        "base image",
        lambda target: images.write_archive(target, BASE_IMAGE, [tree]),
        say,
    )
    inside = {name: path for name, path in programs.items() if name != "pause"}
    node_layers: list[images.Layer] = [
        tree,
        {f"usr/local/bin/{name}": path for name, path in inside.items()},
    ]
    node_key = key(writer, tree.name, *(path.name for path in inside.values()))
    node = made(
        folder / f"node-{node_key}.tar",
        "node image",
        lambda target: images.write_archive(target, NODE_IMAGE, node_layers),
        say,
    )
    pause_layers = [{"pause": programs["pause"]}]
    pause = made(
        folder / f"pause-{key(writer, programs['pause'].name)}.tar",
        "pause image",
        lambda target: images.write_archive(target, PAUSE_IMAGE, pause_layers, ["/pause"]),
        say,
    )
    grown = made(
        cache_root() / f"seed-{key(node.name, pause.name)}",
        "seed of the nodes' image store",
        lambda target: seed.grow(target, [node, pause]),
        say,
    )
    return Artifacts(programs["hyperkube"], programs["coredns"], grown, base, base_key)


def agent_seed(artifacts: Artifacts, archive: Path, image: str, say: Say) -> Path:
    """Return the seed that also holds the agent image of this id and archive."""
    found = made(
        cache_root() / f"seed-{key(artifacts.seed.name, image)}-agent",
        "seed with the agent image",
        lambda target: seed.grow(target, [archive], artifacts.seed),
        say,
    )
    found.touch()  # those that were used last are kept
    return found


def say_on_stderr(sentence: str) -> None:
    """Report progress where it does not mix with output."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
