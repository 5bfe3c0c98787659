package main

import (
	corev1 "k8s.io/api/core/v1"

	networking "istio.io/api/networking/v1alpha3"
	"istio.io/istio/pkg/config/schema/gvk"
)

// addMachines makes a pod of each WorkloadEntry, as if its proxy ran there.
func (c *cluster) addMachines(read *manifests, trustDomain string) {
	for _, each := range read.configs {
		entry, ok := each.Spec.(*networking.WorkloadEntry)
		if !ok || each.GroupVersionKind != gvk.WorkloadEntry {
			continue
		}
		template := &corev1.PodTemplateSpec{}
		template.Labels, template.Annotations = entry.Labels, each.Annotations
		template.Spec.ServiceAccountName = entry.ServiceAccount
		pod := &Pod{
			Kind:      each.GroupVersionKind.Kind,
			Namespace: each.Namespace,
			Name:      each.Name,
			Address:   entry.Address,
			labels:    entry.Labels,
			template:  template,
			machine:   entry,
		}
		c.appendPod(pod, trustDomain)
		for _, number := range entry.Ports {
			pod.listen(int(number))
		}
	}
}

// openEntries opens the ports that ServiceEntries with a selector lead to (`pilot/pkg/serviceregistry/serviceentry/conversion.go`,
// `convertWorkloadInstanceToServiceInstance`).
func (c *cluster) openEntries(read *manifests) {
	for _, each := range read.configs {
		entry, ok := each.Spec.(*networking.ServiceEntry)
		if !ok || len(entry.GetWorkloadSelector().GetLabels()) == 0 {
			continue
		}
		for _, pod := range c.pods {
			if pod.Namespace != each.Namespace || !subset(entry.WorkloadSelector.Labels, pod.labels) {
				continue
			}
			for _, port := range entry.Ports {
				pod.listen(pod.entryPort(port))
			}
		}
	}
}

// entryPort is the port of a pod or machine behind one of a ServiceEntry.
func (p *Pod) entryPort(port *networking.ServicePort) int {
	if number := p.machine.GetPorts()[port.Name]; number > 0 {
		return int(number)
	}
	for _, container := range p.template.Spec.Containers {
		for _, declared := range container.Ports {
			if declared.Name == port.Name && declared.Protocol == corev1.ProtocolTCP {
				return int(declared.ContainerPort)
			}
		}
	}
	if port.TargetPort > 0 {
		return int(port.TargetPort)
	}
	return int(port.Number)
}

// machineTarget is the port of a machine behind one of a Service (`pilot/pkg/serviceregistry/kube/controller/controller.go`,
// `serviceInstanceFromWorkloadInstance`): its own of that name goes before the number.
func (p *Pod) machineTarget(port corev1.ServicePort) int {
	name := port.TargetPort.StrVal
	if name == "" {
		name = port.Name
	}
	if number := p.machine.Ports[name]; number > 0 {
		return int(number)
	}
	return port.TargetPort.IntValue()
}
