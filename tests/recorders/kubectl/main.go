// Records what kubectl reads from hostile and mutated files. See README.md.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
)

// Run is a text and how often it is repeated.
type Run struct {
	Text  string `json:"text"`
	Times int    `json:"times"`
}

// Row is a file and what is read from it.
type Row struct {
	Name   string            `json:"name,omitempty"`
	Text   *string           `json:"text,omitempty"`
	Base64 string            `json:"base64,omitempty"`
	Runs   []Run             `json:"runs,omitempty"`
	Values []json.RawMessage `json:"values"`
	// Only where there are runs: the values themselves would be too long.
	Count *int   `json:"count,omitempty"`
	Error string `json:"error,omitempty"`
}

// read does what FileVisitor and StreamVisitor of k8s.io/cli-runtime do with the bytes of a file.
func read(file []byte) (values []json.RawMessage, failure error) {
	text := transform.NewReader(bytes.NewReader(file), unicode.BOMOverride(unicode.UTF8.NewDecoder()))
	decoder := yaml.NewYAMLOrJSONDecoder(text, 4096)
	for {
		raw := runtime.RawExtension{}
		if err := decoder.Decode(&raw); err != nil {
			if errors.Is(err, io.EOF) {
				return values, nil
			}
			return values, err
		}
		raw.Raw = bytes.TrimSpace(raw.Raw)
		if len(raw.Raw) == 0 || bytes.Equal(raw.Raw, []byte("null")) {
			continue
		}
		var value any
		if err := kjson.UnmarshalCaseSensitivePreserveInts(raw.Raw, &value); err != nil {
			return values, err
		}
		values = append(values, marshal(value))
	}
}

func marshal(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(out.Bytes())
}

// stable reports whether reading gives the same every time: keys such as 1 and "1" fall together in no fixed order.
func stable(file []byte) bool {
	first, _ := read(file)
	for range 8 {
		again, _ := read(file)
		if !bytes.Equal(marshal(first), marshal(again)) {
			return false
		}
	}
	return true
}

func main() {
	seed := flag.Uint64("seed", 20261126, "seed of the mutants")
	mutants := flag.Int("mutants", 400, "how many mutants of manifests")
	texts := flag.Int("texts", 300, "how many texts put together from parts")
	manifests := flag.String("manifests", "../../../fixtures", "directory with manifests to mutate")
	flag.Parse()

	rows := table()
	rows = append(rows, mutate(*manifests, *seed, *mutants)...)
	rows = append(rows, combine(*seed, *texts)...)
	seen := map[string]bool{}
	for _, row := range rows {
		file := row.bytes()
		if seen[string(file)] || (row.Runs == nil && !stable(file)) {
			continue
		}
		seen[string(file)] = true
		values, err := read(file)
		if err != nil {
			row.Error = strings.TrimSpace(err.Error())
		}
		if row.Runs != nil {
			count := len(values)
			row.Count = &count
			values = nil
		}
		row.Values = values
		if row.Values == nil {
			row.Values = []json.RawMessage{}
		}
		fmt.Fprintln(os.Stdout, string(marshal(row)))
	}
}

// bytes are the contents of the row's file.
func (r Row) bytes() []byte {
	switch {
	case r.Text != nil:
		return []byte(*r.Text)
	case r.Runs != nil:
		var all bytes.Buffer
		for _, run := range r.Runs {
			all.WriteString(strings.Repeat(run.Text, run.Times))
		}
		return all.Bytes()
	}
	decoded, err := base64.StdEncoding.DecodeString(r.Base64)
	if err != nil {
		panic(err)
	}
	return decoded
}

// row makes a row of a file's contents.
func row(name, file string) Row {
	if utf8.ValidString(file) {
		return Row{Name: name, Text: &file}
	}
	return Row{Name: name, Base64: base64.StdEncoding.EncodeToString([]byte(file))}
}
