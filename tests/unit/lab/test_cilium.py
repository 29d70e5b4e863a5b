"""What the Cilium network needs beside its manifests."""

from tests.lab import bringup, cilium


def test_its_manifests_use_the_image_that_is_built() -> None:
    text = "".join(file.read_text() for file in bringup.network(cilium.NETWORK).glob("*.yaml"))
    images = {line.split()[-1] for line in text.splitlines() if line.strip().startswith("image:")}
    assert images == {cilium.IMAGE}
    assert "kube-proxy-replacement" in text
