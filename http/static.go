package http

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// asset is a static file, read and compressed when first asked for.
type asset struct {
	kind      string // Content-Type
	raw, gzip []byte // gzip is nil where it would not be smaller
}

// assets serves an immutable file system from memory.
type assets struct {
	files fs.FS

	mu    sync.RWMutex
	known map[string]*asset
}

// hashed is a name that changes whenever its content does: "play-1A2B3C4D.js".
var hashed = regexp.MustCompile(`[-.][0-9A-Za-z]{8,}\.`)

func newAssets(files fs.FS) *assets { return &assets{files: files, known: map[string]*asset{}} }

// serve answers GET /static/*.
func (a *assets) serve(c *fiber.Ctx) error {
	name := path.Clean(c.Params("*"))
	if !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
		return errNoPage
	}
	f, err := a.get(name)
	if err != nil {
		return err
	}
	if hashed.MatchString(path.Base(name)) {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	} else {
		c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	}
	c.Set(fiber.HeaderContentType, f.kind)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if f.gzip != nil && c.AcceptsEncodings("gzip") == "gzip" {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		c.Response().SetBodyRaw(f.gzip)
		return nil
	}
	c.Response().SetBodyRaw(f.raw)
	return nil
}

func (a *assets) get(name string) (*asset, error) {
	a.mu.RLock()
	f := a.known[name]
	a.mu.RUnlock()
	if f != nil {
		return f, nil
	}
	info, err := fs.Stat(a.files, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return nil, fmt.Errorf("%w: static file %q", errNoPage, name)
	}
	if err != nil {
		return nil, fmt.Errorf("static file %q: %w", name, err)
	}
	raw, err := fs.ReadFile(a.files, name)
	if err != nil {
		return nil, fmt.Errorf("static file %q: %w", name, err)
	}
	f = &asset{kind: mime.TypeByExtension(path.Ext(name)), raw: raw, gzip: compressed(raw)}
	if f.kind == "" {
		f.kind = fiber.MIMEOctetStream
	}
	a.mu.Lock()
	a.known[name] = f
	a.mu.Unlock()
	return f, nil
}

// compressed returns the gzipped bytes, nil where they save less than a tenth.
func compressed(raw []byte) []byte {
	if len(raw) < 1024 {
		return nil
	}
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil // the level is a constant
	}
	if _, err := w.Write(raw); err != nil || w.Close() != nil || buf.Len() > len(raw)*9/10 {
		return nil
	}
	return buf.Bytes()
}
