package main

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/gvk"
)

// outside are the namespaces that the injector never touches.
var outside = []string{"kube-system", "kube-public", "kube-node-lease", "local-path-storage"}

// spared are the ports that no sidecar captures.
var spared = []int{15020, 15021, 15090}

// injected says whether a pod gets a sidecar, as the injection webhook of a default installation
// decides (`pkg/kube/inject/inject.go`, `injectRequired`). Every revision counts as installed. A namespace of which the
// manifests say nothing counts as labelled, and so does one without a label that resources of the mesh live in.
func (c *cluster) injected(pod *Pod, namespace *corev1.Namespace, read *manifests) bool {
	spec := pod.template.Spec
	for _, container := range slices.Concat(spec.Containers, spec.InitContainers) {
		if container.Name == "istio-proxy" {
			return true
		}
	}
	if pod.machine != nil {
		return true
	}
	label := pod.labels["sidecar.istio.io/inject"]
	if spec.HostNetwork || slices.Contains(outside, pod.Namespace) || label == "false" {
		return false
	}
	annotation := label != "" || pod.template.Annotations["sidecar.istio.io/inject"] != "false"
	if namespace == nil {
		return annotation
	}
	injection, said := namespace.Labels["istio-injection"]
	if said {
		return injection == "enabled" && annotation
	}
	_, ofNamespace := namespace.Labels["istio.io/rev"]
	_, ofPod := pod.labels["istio.io/rev"]
	asked := ofNamespace || ofPod || label == "true"
	return annotation && (asked || inhabited(read, pod.Namespace))
}

// inhabited says whether a resource lives in a namespace that makes sense within the mesh only.
func inhabited(read *manifests, namespace string) bool {
	kinds := []config.GroupVersionKind{
		gvk.AuthorizationPolicy, gvk.PeerAuthentication, gvk.RequestAuthentication, gvk.VirtualService,
		gvk.DestinationRule, gvk.Sidecar, gvk.Gateway,
	}
	return slices.ContainsFunc(read.configs, func(each config.Config) bool {
		return each.Namespace == namespace && slices.Contains(kinds, each.GroupVersionKind)
	})
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
	for _, text := range strings.Split(p.template.Annotations["traffic.sidecar.istio.io/excludeOutboundPorts"], ",") {
		if number, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
			p.Spared = append(p.Spared, number)
		}
	}
	slices.SortFunc(p.Ports, func(a, b Port) int { return a.Number - b.Number })
}

// contains says whether a comma-separated list names a port.
func contains(list string, number int) bool {
	return slices.Contains(strings.Split(strings.ReplaceAll(list, " ", ""), ","), strconv.Itoa(number))
}
