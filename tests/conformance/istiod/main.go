// Command istiod translates manifests as Istio's control plane would.
//
// It reads one world a line from standard input (JSON, see World) and answers each with one line
// (see Translation): what the validation webhook refuses, the pods and Services that the manifests
// stand for, every proxy's listeners, routes, clusters and endpoints, and certificates of one local
// authority for the identities in play. All judgement is istiod's own code, linked in.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"

	"istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/log"
)

// World is a set of manifests, and identities that need certificates.
type World struct {
	ID         string   `json:"id"`
	Files      []File   `json:"files"`
	Identities []string `json:"identities"`
	// Want is empty for all, "verdicts" for those of the webhook alone, "certificates" for those alone.
	Want string `json:"want"`
}

// File is one manifest file.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// server is what all worlds of a run share.
type server struct {
	authority *authority
	schemas   *crd.Validator
}

func main() {
	schemas := flag.String("schemas", "", "the file of Istio's custom resource definitions")
	flag.Parse()
	if err := serve(*schemas); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers every line of the standard input.
func serve(schemas string) error {
	answers, err := quiet()
	if err != nil {
		return err
	}
	shared := &server{}
	if shared.authority, err = newAuthority(); err != nil {
		return err
	}
	shared.schemas, err = crd.NewValidatorFromFilesWithOptions([]string{schemas}, crd.WithoutCRDValidation())
	if err != nil {
		return err
	}
	lines := bufio.NewReader(os.Stdin)
	encoder := json.NewEncoder(answers)
	encoder.SetEscapeHTML(false)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if err := encoder.Encode(shared.answer(line)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// answer translates one world; whatever goes wrong becomes the answer's error.
func (s *server) answer(line []byte) *Translation {
	var world World
	if err := json.Unmarshal(line, &world); err != nil {
		return &Translation{Error: err.Error()}
	}
	translation, err := s.translate(&world)
	if err != nil {
		return &Translation{ID: world.ID, Error: err.Error()}
	}
	return translation
}

// quiet keeps the standard output for answers: istiod logs to it, so it moves to the null device.
func quiet() (*os.File, error) {
	duplicate, err := syscall.Dup(1)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if err := syscall.Dup3(int(null.Fd()), 1, 0); err != nil {
		return nil, err
	}
	for _, scope := range log.Scopes() {
		scope.SetOutputLevel(log.NoneLevel)
	}
	return os.NewFile(uintptr(duplicate), "answers"), nil
}
