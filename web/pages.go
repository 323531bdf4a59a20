// Package web owns what participants and researchers see: the page templates,
// their view models, the styles, and the built browser code. It turns a view
// model into HTML and nothing else: it reads no store, knows no routes beyond
// the links it prints, and refuses to pass on markup that it has not made safe.
package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
)

//go:embed templates/*.html
var templateFiles embed.FS

// ErrNotBuilt is returned by New where the browser code was not built before
// the Go code.
var ErrNotBuilt = errors.New("web: the browser code is not built: run make build")

// Pages renders every page. It is safe for concurrent use.
type Pages struct {
	templates map[string]*template.Template
}

// New parses the templates and finds the built assets. It fails with
// ErrNotBuilt where the front-end build has not been run.
func New() (*Pages, error) {
	assets, err := readManifest(Static())
	if err != nil {
		return nil, err
	}
	return parse(templateFiles, assets)
}

// parse makes one template set per page: the layout, the shared parts and the
// page itself, so that every page can define the same blocks.
func parse(files fs.FS, assets manifest) (*Pages, error) {
	base, err := template.New("layout.html").Funcs(funcs(assets)).
		ParseFS(files, "templates/layout.html", "templates/parts_*.html")
	if err != nil {
		return nil, fmt.Errorf("web: parse layout: %w", err)
	}
	names, err := fs.Glob(files, "templates/page_*.html")
	if err != nil {
		return nil, fmt.Errorf("web: list pages: %w", err)
	}
	p := &Pages{templates: make(map[string]*template.Template, len(names))}
	for _, name := range names {
		t, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("web: clone layout: %w", err)
		}
		if t, err = t.ParseFS(files, name); err != nil {
			return nil, fmt.Errorf("web: parse %s: %w", name, err)
		}
		page := name[len("templates/page_") : len(name)-len(".html")]
		p.templates[page] = t
	}
	return p, nil
}

// render writes a page whole or not at all.
func (p *Pages) render(w io.Writer, page, block string, view any) error {
	t := p.templates[page]
	if t == nil {
		return fmt.Errorf("web: no page %q", page)
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, block, view); err != nil {
		return fmt.Errorf("web: render %s: %w", page, err)
	}
	if _, err := w.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("web: write %s: %w", page, err)
	}
	return nil
}

func (p *Pages) page(w io.Writer, page string, view any) error {
	return p.render(w, page, "layout.html", view)
}
