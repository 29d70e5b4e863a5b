"""Which words are public: those of our own source, and of the programs that everybody runs."""

from __future__ import annotations

import ast
import errno
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from kubectl_netdoctor.errors import CouldNotRun

PART = re.compile(r"[A-Za-z0-9]+")
WORD = re.compile(r"[A-Za-z]+")
CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
ROOT = "kubectl_netdoctor"
NAMED_BY = ("checks", "facts", "analysis", "cluster", "agent")  # whoever compares names

# Programs that checks know by a part of a name; the parts in which one of these stands stay.
PROGRAMS = (
    "calico", "canal", "cilium", "kube-router", "antrea", "weave", "network-polic", "netpol",
    "romana", "ovn", "kube-ovn", "tigera", "nsx", "contiv", "trireme", "policy", "konnectivity",
    "tunnelfront", "aks-link", "openvpn", "coredns", "kube-dns", "kube-proxy", "flannel",
    "nodelocal", "node-local-dns", "multus", "kindnet", "aws-node", "azure-npm",
)  # fmt: skip
PROGRAM = re.compile("|".join(sorted(PROGRAMS, key=len, reverse=True)), re.IGNORECASE)

# Configuration languages and kernel counters of which our source names a few words only.
KNOWN = """
accept addr address ah anywhere append arp arpa bind bool broadcast burst bytes cache chain comment
connmark cookie counter counters ct ctdir ctorigdst ctproto ctstate daddr dev dnat dport dports drop
dscp dst dstport ecn ether expr fib forward goto helper hex hook icmp icmpv id iif iifname in invert
ip iprange jump key l3proto last len length limit log loop lport mac mangle map mark masquerade match
meta mod mode multiport nat nfproto nflog nfqueue notrack nth numgen offset oif oifname op orig out
owner physdev pkttype policy port ports prefix probability proto protocol protocols queue random range
raw recent redirect reject rej rela related reply return right left saddr sanity security set sets
snat socket sport sports src statistic string tcp tcpmss tos ttl type udp untracked update verdict
vmap xt zone true false null none any all yes no on off
errors health lameduck ready kubernetes cluster local pods insecure verified disabled fallthrough
prometheus max concurrent reload loadbalance hosts template rewrite file auto secondary import view
acl any autopath bufsize cancel chaos debug dns64 dnssec dnstap erratic etcd expire geoip grpc header
https loadbalance metadata minimal multisocket nsid pprof root route53 sign timeouts tls trace
transfer whoami success denial prefetch serve stale except policy sequential round robin tcp
api version kind config kubeproxy configuration iptables ipvs nftables cidr client connection
kubeconfig conntrack per core established timeout close wait masquerade sync period feature gates
strict scheduler oom score adj hostname override healthz metrics window min
network backend vni port directrouting direct routing enable ipv ipv4 ipv6 cni plugins delegate
gateway bridge portmap capabilities mappings flannel calico felix bird vxlan wireguard geneve
tcp ext syn rst fin ack retrans retransmits segs recv sent in out opens estab resets attempt fails
errs err active passive curr listen overflows drops prune called ofo pruned delayed acks lost locked
hits pure hp sack recovery reneging fack reorder full partial undo dsack loss probes fast forward
slow start fail abort on data memory pressure spurious rcv buf collapsed datagrams requests delivers
discards unknown protos hdr addr reasm reqds oks frag creates no routes octets mcast bcast pkts csum
cookies failed embryonic defer accept filter auto corking want zero adv from to self reset timeouts
rx tx packets dropped missed collisions frame fifo errors compressed multicast carrier heartbeat
aborted crc over nohandler missed gro gso tso ufo lro sg checksum checksumming scatter gather
segmentation generic receive large ntuple rxhash vlan offload hw tc highdma udp tnl csum
linux debian ubuntu gnu rocky centos rhel fedora coreos flatcar talos bottlerocket amazon amzn suse
opensuse alpine arch azurelinux mariner cos containerd docker crio cri amd64 arm64 x86 aarch64 generic
cloud aws azure gcp gke eks kvm vmware xen microsoft
noerror formerr servfail nxdomain notimp refused yxdomain notauth
daemonset deployment replicaset statefulset pod node service namespace job cronjob
kubelet ready posting status sufficient disk pid available running reason message false true
k8s io alpha beta coreos com tool command save output
unknown normal warning http get post with for the and not is of a an to by or at it as was were
"""


@cache
def words() -> frozenset[str]:
    """Lower-case words that may stand in a redacted text."""
    found = {w for text in _literals(ROOT) for w in _split(text)}
    return frozenset(found | set(KNOWN.split()) | {c.lower() for c in errno.errorcode.values()})


@cache
def names() -> frozenset[str]:
    """Whole names that some check or collector looks for."""
    form = re.compile(r"[a-z][a-z0-9]*([-.][a-z0-9]+)*-?")
    return frozenset(t.rstrip("-") for t in _literals(*NAMED_BY) if form.fullmatch(t))


@cache
def texts() -> frozenset[str]:
    """Whole strings of our source: label keys, kernel parameters, names of devices."""
    return frozenset(t for t in _literals(ROOT) if len(t) < 100)


def _split(text: str) -> Iterator[str]:
    yield from (part.lower() for part in PART.findall(text))
    for word in WORD.findall(text):
        yield word.lower()
        yield from (part.lower() for part in CAMEL.findall(word))


@cache
def _literals(*packages: str) -> frozenset[str]:
    """String constants of the source, docstrings left out."""
    root = files(ROOT)
    folders = [root if p == ROOT else root / p for p in packages]
    found = frozenset(t for folder in folders for file in _python(folder) for t in _strings(file))
    if not found:
        raise CouldNotRun("redaction needs the source of this tool, and this build has none")
    return found


def _python(folder: Traversable) -> Iterator[str]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _python(item)
        elif item.name.endswith(".py"):
            yield item.read_text(encoding="utf-8")


def _strings(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    prose = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value
