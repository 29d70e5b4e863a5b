"""Which NetworkPolicies hold which pods' egress, without the pods' names and labels."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netdoctor.facts.base import Scope, fact


@dataclass(frozen=True, slots=True)
class PodGroup:
    """Pods of one namespace whose egress the same policies isolate.

    `pods`: how many of them live, are not on the host network and ask cluster DNS.
    """

    namespace: str
    policies: tuple[str, ...]
    pods: int


@dataclass(frozen=True, slots=True)
class LabelledNamespace:
    """The labels of a namespace in which cluster DNS may run."""

    name: str
    labels: dict[str, str]


@fact("policy_pods", scope=Scope.CLUSTER)
@dataclass(frozen=True, slots=True)
class PolicyPods:
    """Groups of isolated pods; `unread`: namespaces with such policies that were not looked at."""

    groups: tuple[PodGroup, ...]
    namespaces: tuple[LabelledNamespace, ...]
    unread: tuple[str, ...]
