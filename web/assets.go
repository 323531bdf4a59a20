package web

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
)

// dist holds the output of the front-end build. A fresh clone has only the
// placeholder, so that Go code compiles before the first build.
//
//go:embed all:dist
var dist embed.FS

// Static is the built browser code: files whose names carry a hash of their
// content, to be served under /static/ and cached for ever.
func Static() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}

// manifest maps the name of an asset as templates say it ("play.js") to what
// the build made of it.
type manifest map[string]builtAsset

type builtAsset struct {
	File    string   `json:"file"`    // "play-1A2B3C4D.js"
	Imports []string `json:"imports"` // files that it loads first
}

func readManifest(files fs.FS) (manifest, error) {
	data, err := fs.ReadFile(files, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	if err != nil {
		return nil, fmt.Errorf("web: read manifest: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("web: read manifest: %w", err)
	}
	return m, nil
}

// url is the address of an asset; an unknown name is a programmer's error that
// the template tests find.
func (m manifest) url(name string) (string, error) {
	a, ok := m[name]
	if !ok {
		return "", fmt.Errorf("no asset %q in the build", name)
	}
	return "/static/" + a.File, nil
}

// preloads lists the addresses of what an asset loads first.
func (m manifest) preloads(name string) []string {
	var out []string
	for _, file := range m[name].Imports {
		out = append(out, "/static/"+file)
	}
	return out
}
