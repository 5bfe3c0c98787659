package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/test"
)

// release is the version that the proxies say they are: that of the linked control plane.
const release = "1.32.0"

// Translation is what istiod makes of a world.
type Translation struct {
	ID            string                 `json:"id"`
	Error         string                 `json:"error,omitempty"`
	Unread        []string               `json:"unread,omitempty"`
	Judged        []Rejection            `json:"judged,omitempty"`
	Rejected      []Rejection            `json:"rejected"`
	Objects       []map[string]any       `json:"objects,omitempty"`
	TrustDomain   string                 `json:"trustDomain,omitempty"`
	RootNamespace string                 `json:"rootNamespace,omitempty"`
	Pods          []*Pod                 `json:"pods,omitempty"`
	Services      []*Service             `json:"services,omitempty"`
	Gateways      []*Gateway             `json:"gateways,omitempty"`
	Proxies       []*Proxy               `json:"proxies,omitempty"`
	Authority     string                 `json:"authority,omitempty"`
	Certificates  map[string]Certificate `json:"certificates,omitempty"`
}

// Proxy is the configuration of one proxy, by its pod's place in the list of pods.
type Proxy struct {
	Pod       int               `json:"pod"`
	Listeners []json.RawMessage `json:"listeners"`
	Routes    []json.RawMessage `json:"routes"`
	Clusters  []json.RawMessage `json:"clusters"`
	Endpoints []json.RawMessage `json:"endpoints"`
}

// translate answers one world.
func (s *server) translate(world *World) (*Translation, error) {
	read := read(world.Files, s.schemas)
	answer := &Translation{ID: world.ID, Unread: read.unread, Judged: read.judged, Rejected: read.rejected}
	if world.Want == "verdicts" {
		return answer, nil
	}
	if world.Want == "certificates" {
		return answer, answer.certify(world.Identities, s.authority)
	}
	answer.Objects = read.acting
	settings, err := meshSettings(read)
	if err != nil {
		return nil, err
	}
	answer.TrustDomain, answer.RootNamespace = settings.TrustDomain, settings.RootNamespace
	formed, err := form(read, settings.RootNamespace, settings.TrustDomain)
	if err != nil {
		return nil, err
	}
	answer.Pods, answer.Services, answer.Gateways = formed.pods, formed.services, formed.gateways
	if err := answer.certify(world.Identities, s.authority); err != nil {
		return nil, err
	}
	err = test.Wrap(func(t test.Failer) {
		answer.Proxies = dump(t, read, formed, settings)
	})
	return answer, err
}

// meshSettings are those of the ConfigMap that istiod reads, over its defaults.
func meshSettings(read *manifests) (*meshconfig.MeshConfig, error) {
	for _, each := range read.kube {
		if each.GetKind() != "ConfigMap" || each.GetName() != "istio" || each.GetNamespace() != "istio-system" {
			continue
		}
		data, _ := each.Object["data"].(map[string]any)
		text, _ := data["mesh"].(string)
		return mesh.ApplyMeshConfigDefaults(text)
	}
	return mesh.DefaultMeshConfig(), nil
}

// certify gives every pod and every caller its certificate.
func (t *Translation) certify(identities []string, authority *authority) error {
	t.Authority, t.Certificates = authority.pem, map[string]Certificate{}
	all := slices.Clone(identities)
	for _, pod := range t.Pods {
		all = append(all, pod.Identity)
	}
	for _, identity := range all {
		certificate, err := authority.issue(identity)
		if err != nil {
			return err
		}
		t.Certificates[identity] = certificate
	}
	return nil
}

// dump runs a control plane on the cluster and asks it for every proxy's configuration.
func dump(t test.Failer, read *manifests, formed *cluster, settings *meshconfig.MeshConfig) []*Proxy {
	server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		KubernetesObjects: formed.objects,
		Configs:           read.configs,
		MeshConfig:        settings,
	})
	var proxies []*Proxy
	for index, pod := range formed.pods {
		if !pod.Sidecar && !pod.Router {
			continue
		}
		proxy := server.SetupProxy(pod.proxy())
		listeners := server.Listeners(proxy)
		proxies = append(proxies, &Proxy{
			Pod:       index,
			Listeners: texts(t, listeners),
			Routes:    texts(t, server.RoutesFromListeners(proxy, listeners)),
			Clusters:  texts(t, server.Clusters(proxy)),
			Endpoints: texts(t, server.Endpoints(proxy)),
		})
	}
	return proxies
}

// proxy is the pod's proxy as it introduces itself.
func (p *Pod) proxy() *model.Proxy {
	kind := model.SidecarProxy
	if p.Router {
		kind = model.Router
	}
	labels := p.object().Labels
	return &model.Proxy{
		Type:            kind,
		ID:              p.podName() + "." + p.Namespace,
		IPAddresses:     []string{p.Address},
		ConfigNamespace: p.Namespace,
		Labels:          labels,
		Metadata: &model.NodeMetadata{
			Namespace:      p.Namespace,
			Labels:         labels,
			ServiceAccount: p.template.Spec.ServiceAccountName,
			ClusterID:      "Kubernetes",
			IstioVersion:   release,
		},
	}
}

// texts are messages as JSON.
func texts[M proto.Message](t test.Failer, messages []M) []json.RawMessage {
	found := make([]json.RawMessage, 0, len(messages))
	for _, message := range messages {
		text, err := protojson.Marshal(message)
		if err != nil {
			t.Fatal(fmt.Errorf("a message that is no JSON: %w", err))
		}
		found = append(found, text)
	}
	return found
}
