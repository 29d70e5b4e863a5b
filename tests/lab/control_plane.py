"""The processes that run in the rack: etcd, the control plane, the provider's resolver."""

from collections.abc import Callable
from pathlib import Path

from tests.lab.commands import spawn
from tests.lab.pki import kubeconfig_of
from tests.lab.process import Process
from tests.lab.spec import COMPONENTS, GATEWAY, PODS, RESOLVER, SERVICES, WEB, Spec

# Seconds without a sign of life until a node is NotReady.
NODE_GRACE = 20

_COREFILE = f""".:53 {{
  bind {RESOLVER}
  errors
  log . "{{remote}} {{type}} {{name}} {{rcode}}"
  template IN A example.com {{
    answer "{{{{ .Name }}}} 60 IN A {WEB}"
  }}
  template IN AAAA example.com {{
    rcode NOERROR
    authority "example.com. 60 IN SOA ns.example.com. root.example.com. 1 60 60 60 60"
  }}
  template IN ANY . {{
    rcode NXDOMAIN
    authority ". 60 IN SOA ns.example.com. root.example.com. 1 60 60 60 60"
  }}
}}
"""


def start(spec: Spec, component: str) -> None:
    """Start a component unless it runs."""
    recorded = Process.read(_record(spec, component))
    if recorded is None or not recorded.alive():
        process = spawn(
            spec.logs / f"{component}.log",
            *("ip", "netns", "exec", spec.rack_netns),
            *_COMMANDS[component](spec),
        )
        process.write(_record(spec, component))


def stop(spec: Spec, component: str) -> None:
    """End a component at once, if it runs."""
    process = Process.read(_record(spec, component))
    if process is not None:
        process.kill()
        _record(spec, component).unlink()


def running(spec: Spec) -> dict[str, int | None]:
    """Return the process id of each component, None for one that does not run."""
    found = {name: Process.read(_record(spec, name)) for name in COMPONENTS}
    return {name: p.pid if p and p.alive() else None for name, p in found.items()}


def _record(spec: Spec, component: str) -> Path:
    return spec.home / "pid" / component


def _hyperkube(spec: Spec, component: str, flags: str) -> list[str]:
    return [str(spec.home / "bin" / "hyperkube"), component, *flags.split()]


def _etcd(spec: Spec) -> list[str]:
    return _hyperkube(
        spec,
        "etcd",
        f"""--data-dir={spec.home}/etcd --log-level=warn
        --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379
        --listen-peer-urls=http://127.0.0.1:2380 --listen-metrics-urls=http://127.0.0.1:2381""",
    )


def _apiserver(spec: Spec) -> list[str]:
    pki = spec.home / "pki"
    return _hyperkube(
        spec,
        "kube-apiserver",
        f"""--etcd-servers=http://127.0.0.1:2379
        --advertise-address={GATEWAY} --secure-port=6443
        --tls-cert-file={pki}/apiserver.crt --tls-private-key-file={pki}/apiserver.key
        --client-ca-file={pki}/ca.crt --token-auth-file={pki}/tokens.csv
        --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction
        --service-cluster-ip-range={SERVICES}
        --service-account-issuer=https://kubernetes.default.svc.cluster.local
        --service-account-key-file={pki}/sa.pub --service-account-signing-key-file={pki}/sa.key
        --kubelet-client-certificate={pki}/kubelet-client.crt
        --kubelet-client-key={pki}/kubelet-client.key
        --kubelet-preferred-address-types=InternalIP --allow-privileged=true --profiling=false""",
    )


def _controller_manager(spec: Spec) -> list[str]:
    pki = spec.home / "pki"
    return _hyperkube(
        spec,
        "kube-controller-manager",
        f"""--kubeconfig={kubeconfig_of(spec, "kube-controller-manager")} --leader-elect=false
        --allocate-node-cidrs=true --cluster-cidr={PODS} --node-cidr-mask-size=24
        --service-cluster-ip-range={SERVICES} --use-service-account-credentials=true
        --service-account-private-key-file={pki}/sa.key --root-ca-file={pki}/ca.crt
        --node-monitor-grace-period={NODE_GRACE}s""",
    )


def _scheduler(spec: Spec) -> list[str]:
    kubeconfig = kubeconfig_of(spec, "kube-scheduler")
    return _hyperkube(spec, "kube-scheduler", f"--kubeconfig={kubeconfig} --leader-elect=false")


def _resolver(spec: Spec) -> list[str]:
    corefile = spec.home / "resolver.Corefile"
    corefile.write_text(_COREFILE)
    return [str(spec.home / "bin" / "coredns"), "-conf", str(corefile)]


_COMMANDS: dict[str, Callable[[Spec], list[str]]] = {
    "etcd": _etcd,
    "kube-apiserver": _apiserver,
    "kube-controller-manager": _controller_manager,
    "kube-scheduler": _scheduler,
    "resolver": _resolver,
}
