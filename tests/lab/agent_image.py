"""The image that the checks run from, built from this checkout."""

import json
import re
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tests.lab import build
from tests.lab.cache import Say, cache_root, files_key, keep_newest, key, made
from tests.lab.commands import run
from tests.lab.errors import LabError
from tests.lab.spec import CHECKOUT

REPOSITORY = "docker.io/library/netdoctor-agent"
_CERTIFICATES = "/etc/ssl/certs"
_KEPT = 6  # archives of earlier sources: each is as large as a base system


def version(checkout: Path = CHECKOUT) -> str:
    """Return the version in the package's `__init__.py`, without importing it."""
    source = checkout / "kubectl_netdoctor" / "__init__.py"
    found = re.search(r"^__version__[^=]*=\s*[\"']([^\"']+)[\"']", _text(source), re.MULTILINE)
    if found is None:
        message = f"{source}: no __version__"
        raise LabError(message)
    return found[1]


def reference(checkout: Path = CHECKOUT) -> str:
    """Return the name that the agent image has on the nodes."""
    return f"{REPOSITORY}:{version(checkout)}"


def sources(checkout: Path = CHECKOUT) -> list[Path]:
    """Return the files that the image is made from."""
    found = [checkout / "pyproject.toml", *(checkout / "job-image").rglob("*")]
    found += (checkout / "kubectl_netdoctor").rglob("*.py")
    return [file for file in found if file.is_file()]


def ensure(say: Say, checkout: Path = CHECKOUT) -> Path:
    """Return the archive of the agent image of this checkout, building it if its sources changed."""
    dockerfile = checkout / "job-image" / "Dockerfile"
    if not dockerfile.is_file():
        message = f"{dockerfile}: not there, so there is no agent image to build"
        raise LabError(message)
    artifacts = build.ensure(say)
    image_key = key(artifacts.base_key, reference(checkout), files_key(checkout, sources(checkout)))
    archive = made(
        cache_root() / "images" / f"agent-{image_key}.tar",
        "agent image",
        lambda target: _bud(checkout, artifacts, target),
        say,
    )
    archive.touch()  # the newest is what a lab is started with
    keep_newest(_archives(), _KEPT)
    keep_newest(cache_root().glob("seed-*-agent"), _KEPT)
    return archive


def newest() -> Path | None:
    """Return the archive of the agent image that was asked for last, None before the first."""
    return max(_archives(), key=lambda path: path.stat().st_mtime, default=None)


def _archives() -> list[Path]:
    return sorted((cache_root() / "images").glob("agent-*.tar"))


def _bud(checkout: Path, artifacts: build.Artifacts, target: Path) -> None:
    """Build the image with what was cached of its layers, and write its archive."""
    store = cache_root() / f"buildah-{artifacts.base_key}"
    buildah = ["buildah", "--root", str(store / "root"), "--runroot", str(store / "run")]
    buildah += ["--storage-driver", "overlay", "--storage-opt", "skip_mount_home=true"]
    if run(*buildah, "inspect", "--type", "image", build.BASE_IMAGE, check=False).returncode:
        run(*buildah, "pull", f"docker-archive:{artifacts.base_archive}")
    tag = reference(checkout)
    with tempfile.TemporaryDirectory(prefix="netdoctor-lab-") as scratch:
        written = Path(scratch, "id")
        run(
            *buildah,
            *("bud", "--layers", "--isolation", "chroot", "--pull-never", "--force-rm"),
            *("--volume", f"{_CERTIFICATES}:{_CERTIFICATES}:ro", "--iidfile", written),
            *("--build-arg", f"BASE={build.BASE_IMAGE}"),
            *("--file", checkout / "job-image" / "Dockerfile", "--tag", tag, checkout),
        )
        built = written.read_text().strip().removeprefix("sha256:")
    same = [archive for archive in _archives() if image_id(archive) == built]
    if same:  # the sources that changed are none that the image holds
        target.hardlink_to(same[0])
    else:  # by id: another checkout may have given the name to its own image meanwhile
        run(*buildah, "push", built, f"docker-archive:{target}:{tag}")


def image_id(archive: Path) -> str:
    """Return the id of the image in an archive: equal for archives of equal images."""
    config: str = _manifest(archive)["Config"]
    return config.removesuffix(".json")


def is_agent(archive: Path) -> bool:
    """Tell whether an archive holds an agent image."""
    tags: list[str] = _manifest(archive).get("RepoTags") or []
    return any(tag.startswith(f"{REPOSITORY}:") for tag in tags)


def _manifest(archive: Path) -> dict[str, Any]:
    """Return what an archive says of its first image; nothing for archives of another form."""
    with tarfile.open(archive) as tar:
        try:
            manifest = tar.extractfile("manifest.json")
        except KeyError:
            return {}
        images: list[dict[str, Any]] = json.load(manifest) if manifest else [{}]
    return images[0]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError as error:
        message = f"{file}: {error.strerror}"
        raise LabError(message) from error
