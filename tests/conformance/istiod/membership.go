package main

import (
	"slices"
	"strconv"
	"strings"
)

// outside are the namespaces that the injector never touches.
var outside = []string{"kube-system", "kube-public", "kube-node-lease", "local-path-storage"}

// spared are the ports that no sidecar captures.
var spared = []int{15020, 15021, 15090}

// injected says whether a pod gets a sidecar, as the injection webhook of a default installation
// decides (`pkg/kube/inject/inject.go`, `injectRequired`). A namespace of which the manifests say
// nothing counts as labelled.
func (c *cluster) injected(pod *Pod) bool {
	spec := pod.template.Spec
	for _, container := range slices.Concat(spec.Containers, spec.InitContainers) {
		if container.Name == "istio-proxy" {
			return true
		}
	}
	label := pod.labels["sidecar.istio.io/inject"]
	if spec.HostNetwork || slices.Contains(outside, pod.Namespace) || label == "false" {
		return false
	}
	annotation := label != "" || pod.template.Annotations["sidecar.istio.io/inject"] != "false"
	labels := c.namespaces[pod.Namespace].Labels
	injection, said := labels["istio-injection"]
	if said {
		return injection == "enabled" && annotation
	}
	return annotation
}

// capture marks the ports that the sidecar guards (`cni/pkg/plugin/sidecar_redirect.go`).
func (p *Pod) capture() {
	included, listed := p.template.Annotations["traffic.sidecar.istio.io/includeInboundPorts"]
	excluded := p.template.Annotations["traffic.sidecar.istio.io/excludeInboundPorts"]
	for index := range p.Ports {
		number := p.Ports[index].Number
		all := !listed || strings.TrimSpace(included) == "*"
		named := !all && contains(included, number)
		p.Ports[index].Captured = p.Sidecar && !slices.Contains(spared, number) &&
			(named || all && !contains(excluded, number))
	}
	slices.SortFunc(p.Ports, func(a, b Port) int { return a.Number - b.Number })
}

// contains says whether a comma-separated list names a port.
func contains(list string, number int) bool {
	return slices.Contains(strings.Split(strings.ReplaceAll(list, " ", ""), ","), strconv.Itoa(number))
}
