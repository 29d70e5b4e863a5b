"""Image archives, and what is read back from them."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.lab import agent_image
from tests.lab.errors import LabError
from tests.lab.images import Layer, write_archive


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=debian\n")
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    target = tmp_path / "image.tar"
    layers: list[Layer] = [root, {"usr/local/bin/tool": tmp_path / "tool"}]
    write_archive(target, "docker.io/library/netdoctor-agent:1.2", layers, ["tool"])
    return target


def content(tar: tarfile.TarFile, name: str) -> bytes:
    """Return what a file in an archive holds."""
    file = tar.extractfile(name)
    assert file is not None
    return file.read()


def test_layers_are_what_the_config_says(archive: Path) -> None:
    """A runtime finds each layer under its hash, and one line of history for each."""
    with tarfile.open(archive) as tar:
        files = {name: content(tar, name) for name in tar.getnames()}
    (image,) = json.loads(files["manifest.json"])
    config = json.loads(files[image["Config"]])
    hashes = [f"sha256:{hashlib.sha256(files[layer]).hexdigest()}" for layer in image["Layers"]]
    assert hashes == config["rootfs"]["diff_ids"]
    assert len(config["history"]) == len(hashes) == 2
    assert config["config"]["Entrypoint"] == ["tool"]


def test_files_are_where_they_belong(archive: Path) -> None:
    names = []
    with tarfile.open(archive) as image:
        (manifest,) = json.loads(content(image, "manifest.json"))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(content(image, layer))) as tar:
                names.append(tar.getnames())
    assert "./etc/os-release" in names[0]
    assert names[1] == ["usr/local/bin/tool"]


def test_id_is_the_hash_of_the_config(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        config = content(tar, f"{agent_image.image_id(archive)}.json")
    assert hashlib.sha256(config).hexdigest() == agent_image.image_id(archive)


def test_agent_images_are_known_by_their_name(archive: Path, tmp_path: Path) -> None:
    assert agent_image.is_agent(archive)
    other = tmp_path / "other.tar"
    write_archive(other, "netlab.local/pause:1", [{"pause": tmp_path / "tool"}])
    assert not agent_image.is_agent(other)


def test_agent_image_is_named_after_the_version(tmp_path: Path) -> None:
    package = tmp_path / "kubectl_netdoctor"
    package.mkdir()
    with pytest.raises(LabError, match=r"__init__\.py"):
        agent_image.reference(tmp_path)
    (package / "__init__.py").write_text('"""Doc."""\n\n__version__ = "1.2.3"\n')
    assert agent_image.reference(tmp_path) == "docker.io/library/netdoctor-agent:1.2.3"


def test_sources_of_the_agent_image(tmp_path: Path) -> None:
    """The Dockerfile with what lies beside it, every module, the project file; nothing compiled."""
    wanted = ["pyproject.toml", "job-image/Dockerfile", "kubectl_netdoctor/agent/main.py"]
    unwanted = ["README.md", "kubectl_netdoctor/__pycache__/a.pyc", "tests/test_a.py"]
    for name in (*wanted, *unwanted):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = {str(path.relative_to(tmp_path)) for path in agent_image.sources(tmp_path)}
    assert found == set(wanted)


def test_no_dockerfile(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no agent image to build"):
        agent_image.ensure(lambda _: None, tmp_path)
