"""Image archives made of files on disk, without a container tool."""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

# A layer is a root folder, or files on disk by their path in the image.
Layer = Path | Mapping[str, Path]


def write_archive(
    target: Path, reference: str, layers: Sequence[Layer], entrypoint: Sequence[str] = ()
) -> None:
    """Write an image of these layers, in the form of `docker save`."""
    with tarfile.open(target, "w") as image:
        digests = [_add_layer(image, target, layer) for layer in layers]
        config = _json(
            {
                "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
                "os": "linux",
                # Builders that cache layers count the entries of the history.
                "history": [{"created_by": "tests/lab"} for _ in digests],
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in digests]},
                "config": {"Entrypoint": list(entrypoint), "Env": [f"PATH={PATH}"]},
            }
        )
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        names = [f"{digest}.tar" for digest in digests]
        manifest = [{"Config": name, "RepoTags": [reference], "Layers": names}]
        _add(image, name, config)
        _add(image, "manifest.json", _json(manifest))


def _add_layer(image: tarfile.TarFile, target: Path, layer: Layer) -> str:
    """Add a layer to the image and return the hash it is known by."""
    scratch = target.with_name(f"{target.name}.layer")
    try:
        with tarfile.open(scratch, "w") as tar:
            if isinstance(layer, Path):
                tar.add(layer, arcname=".")
            else:
                for inside, outside in layer.items():
                    tar.add(outside, arcname=inside)
        digest = _digest(scratch)
        image.add(scratch, arcname=f"{digest}.tar")
    finally:
        scratch.unlink(missing_ok=True)
    return digest


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _add(image: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    image.addfile(info, io.BytesIO(data))


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
