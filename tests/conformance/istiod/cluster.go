package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	networking "istio.io/api/networking/v1alpha3"
	"istio.io/istio/pkg/config/kube"
	"istio.io/istio/pkg/config/protocol"
	"istio.io/istio/pkg/config/schema/gvk"
	kubelib "istio.io/istio/pkg/kube"
)

// Pod is the one pod that stands for a workload.
type Pod struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Address   string `json:"address"`
	Identity  string `json:"identity"`
	Sidecar   bool   `json:"sidecar"`
	Router    bool   `json:"router"`
	MadeUp    bool   `json:"madeUp"`
	Ports     []Port `json:"ports"`
	// Spared are the ports that its sidecar leaves alone on the way out.
	Spared []int `json:"spared"`

	labels   map[string]string
	template *corev1.PodTemplateSpec
	machine  *networking.WorkloadEntry // what it stands for, unless it is a pod
}

// Port is a port of a pod, and whether its sidecar captures it.
type Port struct {
	Number   int  `json:"number"`
	Captured bool `json:"captured"`
}

// Service is a Service with the pods behind each of its ports.
type Service struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Address   string        `json:"address"`
	Ports     []ServicePort `json:"ports"`
}

// ServicePort is a port of a Service, whether applications speak TLS there, and where it leads to.
type ServicePort struct {
	Number  int        `json:"number"`
	TLS     bool       `json:"tls"`
	Targets []Endpoint `json:"targets"`
}

// Endpoint is a port of a pod, by the pod's place in the list of pods.
type Endpoint struct {
	Pod  int `json:"pod"`
	Port int `json:"port"`
}

// Gateway says which pods serve a Gateway, by their places in the list of pods.
type Gateway struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Pods      []int    `json:"pods"`
	Servers   []Server `json:"servers"`
}

// Server is a port of a Gateway, whether clients speak TLS there, and whether as proxies of the mesh do.
type Server struct {
	Port int  `json:"port"`
	TLS  bool `json:"tls"`
	Mesh bool `json:"mesh"`
}

// cluster is what a Kubernetes cluster would hold of the manifests.
type cluster struct {
	objects    []runtime.Object
	namespaces map[string]*corev1.Namespace
	pods       []*Pod
	services   []*Service
	gateways   []*Gateway
}

// templates are where the kinds that make pods keep their pod template.
var templates = map[string][]string{
	"Deployment":            {"spec", "template"},
	"StatefulSet":           {"spec", "template"},
	"DaemonSet":             {"spec", "template"},
	"ReplicaSet":            {"spec", "template"},
	"ReplicationController": {"spec", "template"},
	"Rollout":               {"spec", "template"},
	"Job":                   {"spec", "template"},
	"CronJob":               {"spec", "jobTemplate", "spec", "template"},
	"Pod":                   {},
}

// form makes the cluster of manifests: pods, addresses and endpoints are made up, in order.
func form(read *manifests, rootNamespace, trustDomain string) (*cluster, error) {
	formed := &cluster{namespaces: map[string]*corev1.Namespace{}}
	var services []*corev1.Service
	for _, each := range read.kube {
		switch kind := each.GetKind(); {
		case templates[kind] != nil:
			if err := formed.addPod(each, trustDomain); err != nil {
				return nil, err
			}
		case kind == "Service" && each.GroupVersionKind().Group == "":
			service := &corev1.Service{}
			if err := into(each.Unstructured, service); err != nil {
				return nil, err
			}
			services = append(services, service)
		case kind == "Namespace":
			namespace := &corev1.Namespace{}
			if err := into(each.Unstructured, namespace); err != nil {
				return nil, err
			}
			formed.namespaces[namespace.Name] = namespace
		}
	}
	formed.addMachines(read, trustDomain)
	formed.addGateways(read, rootNamespace, trustDomain)
	for index, service := range services {
		formed.addService(service, index)
	}
	formed.openEntries(read)
	written := maps.Clone(formed.namespaces)
	formed.nameNamespaces(read, rootNamespace)
	for _, pod := range formed.pods {
		pod.Sidecar = !pod.Router && formed.injected(pod, written[pod.Namespace], read)
		pod.capture()
		if pod.machine == nil {
			formed.objects = append(formed.objects, pod.object())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(formed.namespaces)) {
		formed.objects = append(formed.objects, formed.namespaces[name])
	}
	return formed, nil
}

// into reads an object as a typed one.
func into(each *unstructured.Unstructured, typed runtime.Object) error {
	text, err := each.MarshalJSON()
	if err != nil {
		return err
	}
	_, _, err = kubelib.IstioCodec.UniversalDeserializer().Decode(text, nil, typed)
	return err
}

// addPod makes the pod of a workload.
func (c *cluster) addPod(each object, trustDomain string) error {
	fields := each.Object
	if path := templates[each.GetKind()]; len(path) > 0 {
		fields, _, _ = unstructured.NestedMap(each.Object, path...)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	template := &corev1.PodTemplateSpec{}
	if err := json.Unmarshal(text, template); err != nil {
		return fmt.Errorf("%s %s/%s: %w", each.GetKind(), each.GetNamespace(), each.GetName(), err)
	}
	c.appendPod(&Pod{
		Kind:      each.GetKind(),
		Namespace: each.GetNamespace(),
		Name:      each.GetName(),
		labels:    template.Labels,
		template:  template,
	}, trustDomain)
	return nil
}

// appendPod gives a pod its address, its identity and the ports that its template declares.
func (c *cluster) appendPod(pod *Pod, trustDomain string) {
	index := len(c.pods)
	if pod.template.Spec.ServiceAccountName == "" {
		pod.template.Spec.ServiceAccountName = "default"
	}
	if pod.Address == "" {
		pod.Address = fmt.Sprintf("172.20.%d.%d", index/200, 10+index%200)
	}
	pod.Identity = trustDomain + "/ns/" + pod.Namespace + "/sa/" + pod.template.Spec.ServiceAccountName
	for _, container := range pod.template.Spec.Containers {
		for index := range container.Ports {
			port := &container.Ports[index]
			if port.Protocol == "" {
				port.Protocol = corev1.ProtocolTCP
			}
			if port.Protocol == corev1.ProtocolTCP {
				pod.listen(int(port.ContainerPort))
			}
		}
	}
	c.pods = append(c.pods, pod)
}

// listen adds a port to a pod.
func (p *Pod) listen(number int) {
	if !slices.ContainsFunc(p.Ports, func(port Port) bool { return port.Number == number }) {
		p.Ports = append(p.Ports, Port{Number: number, Captured: true})
	}
}

// addGateways finds the pods of each Gateway, and makes one where no pod has the labels.
func (c *cluster) addGateways(read *manifests, rootNamespace, trustDomain string) {
	selectors := map[string]map[string]string{}
	for _, each := range read.configs {
		if each.GroupVersionKind != gvk.Gateway {
			continue
		}
		selector := each.Spec.(*networking.Gateway).Selector
		if len(selector) == 0 {
			selector = map[string]string{"istio": "ingressgateway"}
		}
		served := false
		for _, pod := range c.pods {
			if subset(selector, pod.labels) && len(each.Spec.(*networking.Gateway).Selector) > 0 {
				pod.Router, served = true, true
			}
		}
		if !served {
			selectors[fmt.Sprint(selector)] = selector
		}
	}
	for _, key := range slices.Sorted(maps.Keys(selectors)) {
		c.appendPod(madeUpGateway(selectors[key], rootNamespace), trustDomain)
	}
	for _, each := range read.configs {
		if each.GroupVersionKind != gvk.Gateway {
			continue
		}
		gateway := &Gateway{Namespace: each.Namespace, Name: each.Name, Pods: []int{}}
		for _, server := range each.Spec.(*networking.Gateway).Servers {
			secure := protocol.Parse(server.GetPort().GetProtocol()).IsTLS()
			mesh := server.GetTls().GetMode() == networking.ServerTLSSettings_AUTO_PASSTHROUGH
			gateway.Servers = append(gateway.Servers, Server{int(server.GetPort().GetNumber()), secure, mesh})
		}
		for index, pod := range c.pods {
			if pod.Router && subset(each.Spec.(*networking.Gateway).Selector, pod.labels) {
				gateway.Pods = append(gateway.Pods, index)
			}
		}
		c.gateways = append(c.gateways, gateway)
	}
}

// madeUpGateway is the pod that a Gateway's selector implies, with the account that installers give it.
func madeUpGateway(selector map[string]string, rootNamespace string) *Pod {
	value := selector["istio"]
	if value == "" {
		value = selector[slices.Sorted(maps.Keys(selector))[0]]
	}
	template := &corev1.PodTemplateSpec{}
	template.Labels = selector
	template.Spec.ServiceAccountName = "istio-" + strings.TrimPrefix(value, "istio-") + "-service-account"
	return &Pod{
		Kind:      "Deployment",
		Namespace: rootNamespace,
		Name:      "implied-" + value,
		Router:    true,
		MadeUp:    true,
		labels:    selector,
		template:  template,
	}
}

// subset says whether all labels of a selector are there.
func subset(selector, labels map[string]string) bool {
	for key, value := range selector {
		if found, ok := labels[key]; !ok || found != value {
			return false
		}
	}
	return true
}

// addService fills in what an API server would, and makes the endpoints.
func (c *cluster) addService(service *corev1.Service, index int) {
	if service.Spec.Type == "" {
		service.Spec.Type = corev1.ServiceTypeClusterIP
	}
	if service.Spec.ClusterIP == "" && service.Spec.Type != corev1.ServiceTypeExternalName {
		service.Spec.ClusterIP = fmt.Sprintf("172.21.%d.%d", index/200, 10+index%200)
	}
	found := &Service{Namespace: service.Namespace, Name: service.Name, Address: service.Spec.ClusterIP}
	for at := range service.Spec.Ports {
		port := &service.Spec.Ports[at]
		if port.Protocol == "" {
			port.Protocol = corev1.ProtocolTCP
		}
		if port.TargetPort == (intstr.IntOrString{}) {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
		secure := kube.ConvertProtocol(port.Port, port.Name, port.Protocol, port.AppProtocol).IsTLS()
		found.Ports = append(found.Ports, ServicePort{Number: int(port.Port), TLS: secure, Targets: []Endpoint{}})
	}
	c.objects = append(c.objects, service)
	c.services = append(c.services, found)
	if len(service.Spec.Selector) == 0 {
		return
	}
	for at, pod := range c.pods {
		if pod.Namespace == service.Namespace && subset(service.Spec.Selector, pod.labels) {
			c.addEndpoints(service, found, at, pod)
		}
	}
}

// lead says that a Service's port leads to a pod's.
func (s *Service) lead(index, at int, pod *Pod, number int) {
	pod.listen(number)
	s.Ports[index].Targets = append(s.Ports[index].Targets, Endpoint{Pod: at, Port: number})
}

// addEndpoints makes the slice of one pod behind one Service; for a machine istiod finds them itself.
func (c *cluster) addEndpoints(service *corev1.Service, found *Service, at int, pod *Pod) {
	if pod.machine != nil {
		for index, port := range service.Spec.Ports {
			number := pod.machineTarget(port)
			if number > 0 && port.Protocol == corev1.ProtocolTCP && service.Spec.ClusterIP != corev1.ClusterIPNone {
				found.lead(index, at, pod, number)
			}
		}
		return
	}
	ready := true
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name:              fmt.Sprintf("%s-%d", service.Name, at),
			Namespace:         service.Namespace,
			Labels:            map[string]string{discoveryv1.LabelServiceName: service.Name},
			CreationTimestamp: sameAge,
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{pod.Address},
			Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.podName()},
		}},
	}
	for index, port := range service.Spec.Ports {
		number := pod.target(port)
		if number == 0 {
			continue
		}
		name, target, protocol := port.Name, int32(number), port.Protocol
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: &name, Port: &target, Protocol: &protocol})
		if protocol == corev1.ProtocolTCP {
			found.lead(index, at, pod, number)
		}
	}
	c.objects = append(c.objects, slice)
}

// target resolves a Service's port on a pod; 0 where the pod has no port of that name.
func (p *Pod) target(port corev1.ServicePort) int {
	if port.TargetPort.Type == intstr.Int {
		return port.TargetPort.IntValue()
	}
	for _, container := range p.template.Spec.Containers {
		for _, declared := range container.Ports {
			if declared.Name == port.TargetPort.StrVal {
				return int(declared.ContainerPort)
			}
		}
	}
	return 0
}

// nameNamespaces makes a Namespace of each that something lives in.
func (c *cluster) nameNamespaces(read *manifests, rootNamespace string) {
	used := map[string]bool{rootNamespace: true}
	for _, pod := range c.pods {
		used[pod.Namespace] = true
	}
	for _, service := range c.services {
		used[service.Namespace] = true
	}
	for _, each := range read.configs {
		used[each.Namespace] = true
	}
	for name := range used {
		if c.namespaces[name] == nil {
			c.namespaces[name] = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: sameAge}}
		}
	}
}

func (p *Pod) podName() string {
	return p.Name + "-" + strings.ToLower(p.Kind)
}

// object is the pod as istiod reads it.
func (p *Pod) object() *corev1.Pod {
	labels := maps.Clone(p.labels)
	if labels == nil {
		labels = map[string]string{}
	}
	// Injection gives the label to pods that say nothing of it.
	if p.Sidecar && labels["security.istio.io/tlsMode"] == "" {
		labels["security.istio.io/tlsMode"] = "istio"
	}
	spec := *p.template.Spec.DeepCopy()
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:              p.podName(),
			Namespace:         p.Namespace,
			Labels:            labels,
			Annotations:       p.template.Annotations,
			CreationTimestamp: sameAge,
		},
		Spec: spec,
		Status: corev1.PodStatus{
			Phase:      corev1.PodRunning,
			PodIP:      p.Address,
			PodIPs:     []corev1.PodIP{{IP: p.Address}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		},
	}
}
