#!/bin/sh
# The first process of a node: when it ends, the kernel ends every other process of the node.
# Needs LAB_NODE, LAB_ADDRESS, LAB_CGROUP, LAB_HOME (the node's folder), LAB_LOGS, LAB_HYPERKUBE,
# LAB_KUBECONFIG and LAB_PRIVATE (folders that are the node's own).
set -eu

# Lines of "folder option": the machine's cgroup v1 hierarchies, and the bare v2 one beside them.
hierarchies() {
  while IFS=: read -r _ controllers _; do
    case $controllers in
      "") echo "unified -" ;;
      name=*) echo "${controllers#name=} none,$controllers" ;;
      *) echo "$controllers $controllers" ;;
    esac
  done < /proc/self/cgroup
}

# A node has cgroups of its own, or its kubelet would see the containers of every node.
if [ "${1:-}" != in-cgroup ]; then
  hierarchies | while read -r folder _; do
    top=/sys/fs/cgroup/$folder
    [ -d "$top" ] || continue
    mkdir -p "$top/$LAB_CGROUP/$LAB_NODE"
    if [ -e "$top/cpuset.cpus" ]; then
      for child in "$LAB_CGROUP" "$LAB_CGROUP/$LAB_NODE"; do
        cat "$top/cpuset.cpus" > "$top/$child/cpuset.cpus"
        cat "$top/cpuset.mems" > "$top/$child/cpuset.mems"
      done
    fi
    echo $$ > "$top/$LAB_CGROUP/$LAB_NODE/cgroup.procs"
  done
  exec unshare --cgroup sh "$0" in-cgroup
fi

hostname "$LAB_NODE"
mount --make-rprivate /
# Other labs' namespaces are mounted here; a copy of the mount would keep them alive after their end.
umount -l /run/netns 2>/dev/null || :

mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /sys/fs/cgroup
hierarchies | while read -r folder option; do
  mkdir "/sys/fs/cgroup/$folder"
  if [ "$option" = - ]; then
    mount -t cgroup2 cgroup2 "/sys/fs/cgroup/$folder"
  else
    mount -t cgroup -o "$option" cgroup "/sys/fs/cgroup/$folder"
  fi
  case $folder in
    *,*) for one in $(echo "$folder" | tr , ' '); do ln -s "$folder" "/sys/fs/cgroup/$one"; done ;;
  esac
done
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || :

mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock /run/lab
mount -t overlay -o "lowerdir=/etc,upperdir=$LAB_HOME/etc,workdir=$LAB_HOME/etc.work" overlay /etc
for path in $LAB_PRIVATE; do
  mkdir -p "$path"
  mount --bind "$LAB_HOME$path" "$path"
done
# Pods that start before the network's own pod wait for half a minute on what is not there yet.
rm -f /etc/cni/net.d/*
mount --make-rshared /
cp /usr/lib/cni/* /opt/cni/bin/

# Runs a daemon again and again, as a service manager would, unless it is to stay stopped.
keep() {
  name=$1
  shift
  while :; do
    if [ ! -e "/run/lab/$name.stopped" ]; then
      "$@" >> "$LAB_LOGS/$LAB_NODE.$name.log" 2>&1 &
      echo $! > "/run/lab/$name.pid"
      wait $! || :
    fi
    sleep 0.2
  done
}

keep containerd containerd --config "$LAB_HOME/containerd.toml" --root /var/lib/containerd \
  --state /run/containerd --address /run/containerd/containerd.sock &
until [ -S /run/containerd/containerd.sock ]; do sleep 0.05; done
keep kubelet "$LAB_HYPERKUBE" kubelet --config=/etc/kubernetes/kubelet.yaml \
  --kubeconfig="$LAB_KUBECONFIG" --hostname-override="$LAB_NODE" --node-ip="$LAB_ADDRESS" &
while :; do wait || :; sleep 1; done
