//go:build tools

// Package cilium names what the lab builds of Cilium, so that go.mod and go.sum hold what it needs.
package cilium

import (
	_ "github.com/cilium/cilium/cilium-dbg/cmd"
	_ "github.com/cilium/cilium/daemon/cmd"
	_ "github.com/cilium/cilium/operator/cmd"
	_ "github.com/cilium/cilium/plugins/cilium-cni/cmd"
)
