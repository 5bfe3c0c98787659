package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config"
	istiocrd "istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/resource"
)

// sameAge is when objects were made that do not say it: all at the same time.
var sameAge = metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))

// clusterScoped are the kinds without a namespace that matter here.
var clusterScoped = map[string]bool{"Namespace": true, "GatewayClass": true, "IngressClass": true}

// object is one object of the manifests, and the file it comes from.
type object struct {
	*unstructured.Unstructured
	file string
}

// Rejection is an object that the schema of its kind or the webhook refuses.
type Rejection struct {
	File      string `json:"file"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Error     string `json:"error"`
}

// manifests are objects by what reads them.
type manifests struct {
	schemas  *istiocrd.Validator
	configs  []config.Config
	acting   []map[string]any // what configs were made of
	kube     []object
	judged   []Rejection
	rejected []Rejection
	unread   []string
}

// read gives the objects of all files; of several with one name the last one acts, as in an apply.
func read(files []File, schemas *istiocrd.Validator) *manifests {
	found := &manifests{schemas: schemas}
	index := map[string]int{}
	var objects []object
	for _, file := range files {
		decoder := kubeyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(file.Text)))
		for {
			document, err := decoder.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				found.unread = append(found.unread, fmt.Sprintf("%s: %v", file.Name, err))
				break
			}
			for _, each := range found.decode(file.Name, document) {
				key := strings.Join([]string{each.GroupVersionKind().Group, each.GetKind(), each.GetNamespace(), each.GetName()}, "/")
				if at, ok := index[key]; ok {
					objects[at] = each
					continue
				}
				index[key] = len(objects)
				objects = append(objects, each)
			}
		}
	}
	for _, each := range objects {
		found.admit(each)
	}
	return found
}

// decode gives the objects of one document: one, or those of a list.
func (m *manifests) decode(file string, document []byte) []object {
	text, err := yaml.YAMLToJSON(document)
	if err != nil {
		m.unread = append(m.unread, fmt.Sprintf("%s: %v", file, err))
		return nil
	}
	var fields map[string]any
	if err := kubejson.Unmarshal(text, &fields); err != nil || fields["kind"] == nil || fields["apiVersion"] == nil {
		if len(bytes.TrimSpace(text)) > len("null") {
			m.unread = append(m.unread, file+": a document that is no object")
		}
		return nil
	}
	whole := &unstructured.Unstructured{Object: fields}
	if !whole.IsList() {
		return []object{complete(whole, file)}
	}
	var objects []object
	items, _ := fields["items"].([]any)
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok {
			objects = append(objects, complete(&unstructured.Unstructured{Object: fields}, file))
		}
	}
	return objects
}

// complete fills in what an API server would: the namespace and the age.
func complete(each *unstructured.Unstructured, file string) object {
	if each.GetNamespace() == "" && !clusterScoped[each.GetKind()] {
		each.SetNamespace("default")
	}
	if age := each.GetCreationTimestamp(); age.IsZero() {
		each.SetCreationTimestamp(sameAge)
	}
	return object{each, file}
}

// admit sorts an object by what reads it, and asks schema and webhook about Istio's own.
func (m *manifests) admit(each object) {
	kind := each.GroupVersionKind()
	schema, known := collections.PilotGatewayAPI().FindByGroupVersionAliasesKind(resource.FromKubernetesGVK(&kind))
	if !known || !strings.HasSuffix(kind.Group, ".istio.io") {
		m.kube = append(m.kube, each)
		return
	}
	verdict := Rejection{File: each.file, Kind: kind.Kind, Namespace: each.GetNamespace(), Name: each.GetName()}
	err := m.fits(each)
	var converted *config.Config
	if err == nil {
		converted, err = convert(schema, each)
	}
	if err == nil {
		_, err = schema.ValidateConfig(*converted)
	}
	// Keys are never fetched: what acts has its own, whatever the webhook was asked.
	if err == nil && each.GetKind() == "RequestAuthentication" {
		inlineKeys(each.Object)
		converted, err = convert(schema, each)
	}
	m.judged = append(m.judged, verdict)
	if err != nil {
		verdict.Error = err.Error()
		m.rejected = append(m.rejected, verdict)
		return
	}
	m.configs = append(m.configs, *converted)
	m.acting = append(m.acting, each.Object)
}

// fits asks the schema of the custom resource, as the API server does: of what is left without the fields that it does
// not know.
func (m *manifests) fits(each object) error {
	left := each.DeepCopy()
	for {
		err := m.schemas.ValidateCustomResource(left)
		if err == nil {
			return nil
		}
		_, unknown, found := strings.Cut(err.Error(), ": unknown fields [")
		if !found {
			return err
		}
		dropped := false
		for _, path := range strings.Fields(strings.TrimSuffix(unknown, "]")) {
			dropped = drop(left.Object, path) || dropped
		}
		if !dropped {
			return nil
		}
	}
}

// step is one step of a field path: a key, or a place in a list.
var step = regexp.MustCompile(`[^.\[\]]+`)

// drop takes the field of a path such as `spec.servers[0].port.tls` away, and says whether it was there.
func drop(fields any, path string) bool {
	steps := step.FindAllString(path, -1)
	for at, key := range steps {
		switch holder := fields.(type) {
		case map[string]any:
			if at == len(steps)-1 {
				_, known := holder[key]
				delete(holder, key)
				return known
			}
			fields = holder[key]
		case []any:
			index, err := strconv.Atoi(key)
			if err != nil || index >= len(holder) {
				return false
			}
			fields = holder[index]
		default:
			return false
		}
	}
	return false
}

// convert reads an object as istiod's kind of it.
func convert(schema resource.Schema, each object) (*config.Config, error) {
	text, err := each.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var istio crd.IstioKind
	if err := json.Unmarshal(text, &istio); err != nil {
		return nil, err
	}
	return crd.ConvertObject(schema, &istio, "cluster.local")
}

// inlineKeys puts a key set where an address is named or nothing at all, so that nothing is fetched.
func inlineKeys(fields map[string]any) {
	rules, _, _ := unstructured.NestedSlice(fields, "spec", "jwtRules")
	for _, each := range rules {
		rule, ok := each.(map[string]any)
		if !ok {
			continue
		}
		address, _ := rule["jwksUri"].(string)
		keys, _ := rule["jwks"].(string)
		plain := strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://")
		if keys == "" && (address == "" || plain) {
			delete(rule, "jwksUri")
			rule["jwks"] = `{"keys":[]}`
		}
	}
	if rules != nil {
		_ = unstructured.SetNestedSlice(fields, rules, "spec", "jwtRules")
	}
}
