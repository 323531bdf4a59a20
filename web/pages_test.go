package web

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/html"
)

// testAssets stands in for the front-end build, which these tests don't need.
func testAssets() manifest {
	m := manifest{}
	for _, name := range []string{"app.css", "play.css", "admin.css", "theme.js", "app.js", "experiment.js", "play.js", "admin.js", "icon.svg"} {
		m[name] = builtAsset{File: "built-" + name, Imports: nil}
	}
	return m
}

func testPages(t *testing.T) *Pages {
	t.Helper()
	p, err := parse(templateFiles, testAssets())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// hostile is text that must never become markup, script or another address.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)> {{.}} javascript:alert(3)`

// fill sets every field of a view model: texts to text, numbers to 7, flags to
// true, slices to two entries, times to a fixed instant.
func fill(v reflect.Value, text string) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(at))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), text)
		fill(v.Index(1), text)
	case reflect.Map: // FieldErrors: the fields that the forms know
		m := reflect.MakeMap(v.Type())
		for _, f := range []string{"", "name", "password", "again", "key", "current", "role", "room", "consent", "labels"} {
			m.SetMapIndex(reflect.ValueOf(f), reflect.ValueOf(text))
		}
		v.Set(m)
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(7.5)
	}
}

// everyPage calls f with each page method of Pages and the type of its view.
func everyPage(t *testing.T, f func(t *testing.T, name string, render func(view any) string, view reflect.Type)) {
	p := reflect.ValueOf(testPages(t))
	n := 0
	for i := range p.NumMethod() {
		method, typ := p.Type().Method(i), p.Method(i).Type()
		if typ.NumIn() != 2 || typ.In(0) != reflect.TypeFor[io.Writer]() || method.Name == "Lobby" {
			continue
		}
		n++
		t.Run(method.Name, func(t *testing.T) {
			f(t, method.Name, func(view any) string {
				var buf bytes.Buffer
				out := p.Method(i).Call([]reflect.Value{reflect.ValueOf(&buf), reflect.ValueOf(view)})
				if err, _ := out[0].Interface().(error); err != nil {
					t.Fatal(err)
				}
				return buf.String()
			}, typ.In(1))
		})
	}
	if n < 18 {
		t.Errorf("found %d pages, want all of them", n)
	}
}

// variants are the views with which every page is tried.
func variants(typ reflect.Type) map[string]any {
	full := reflect.New(typ).Elem()
	fill(full, "Some text")
	evil := reflect.New(typ).Elem()
	fill(evil, hostile)
	out := map[string]any{"zero": reflect.New(typ).Elem().Interface(), "full": full.Interface(), "hostile": evil.Interface()}
	// Flags choose between parts of a page: the other parts with the same texts.
	for name, text := range map[string]string{"full, flags off": "Some text", "hostile, flags off": hostile} {
		v := reflect.New(typ).Elem()
		fill(v, text)
		for i := range v.NumField() {
			switch f := v.Field(i); {
			case f.Kind() == reflect.Bool:
				f.SetBool(typ.Field(i).Name == "Open") // or the form never shows
			case typ.Field(i).Name == "Resume":
				f.SetString("")
			}
		}
		out[name] = v.Interface()
	}
	return out
}

func TestEveryPageIsSoundHTML(t *testing.T) {
	everyPage(t, func(t *testing.T, name string, render func(any) string, typ reflect.Type) {
		for variant, view := range variants(typ) {
			doc, err := html.Parse(strings.NewReader(render(view)))
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range audit(doc) {
				t.Errorf("%s: %s", variant, fault)
			}
		}
	})
}

func TestHostileTextStaysText(t *testing.T) {
	everyPage(t, func(t *testing.T, name string, render func(any) string, typ reflect.Type) {
		for variant, view := range variants(typ) {
			page := render(view)
			if strings.Contains(page, "<script>") || strings.Contains(page, "<img src=x") {
				t.Errorf("%s: markup of a text got into the page", variant)
			}
			if regexp.MustCompile(`(?i)(href|src|action)="\s*javascript:`).MatchString(page) {
				t.Errorf("%s: a text became a script address", variant)
			}
		}
	})
}

func TestTheLobbyLineIsPlainText(t *testing.T) {
	p := testPages(t)
	for _, tt := range []struct {
		line LobbyLine
		want string
	}{
		{LobbyLine{Waiting: 1, Seats: 2}, "1 person is waiting for you right now."},
		{LobbyLine{Waiting: 3, Seats: 4}, "3 people are waiting for you right now."},
		{LobbyLine{Seats: 2}, "Nobody is waiting right now. Start and share the link, and others can join you."},
		{LobbyLine{Seats: 1, Playing: 2}, "2 people are playing this right now."},
		{LobbyLine{Seats: 1}, ""},
	} {
		var buf bytes.Buffer
		if err := p.Lobby(&buf, tt.line); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(buf.String()); got != tt.want {
			t.Errorf("%+v reads %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestThePlayPageHasWhatTheClientLooksFor(t *testing.T) {
	var buf bytes.Buffer
	if err := testPages(t).Play(&buf, PlayPage{Session: "s1", Link: "tag"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`data-socket="/s/s1/socket"`, `data-thanks="/s/s1/thanks"`, `data-leave="/s/s1/leave"`, `data-home="/x/tag"`} {
		if !strings.Contains(buf.String(), want) {
			t.Errorf("the play page lacks %s", want)
		}
	}
	if strings.Contains(buf.String(), "site-head") {
		t.Error("the play page has the site's header above the game")
	}
}

func TestAPageIsWrittenWholeOrNotAtAll(t *testing.T) {
	broken := fstest.MapFS{
		"templates/layout.html":      {Data: []byte(`<p>begin {{block "main" .}}{{end}}`)},
		"templates/parts_none.html":  {Data: []byte(`{{define "none"}}{{end}}`)},
		"templates/page_error.html":  {Data: []byte(`{{define "main"}}{{.Nothing.Of.The.Kind}}{{end}}`)},
		"templates/page_unused.html": {Data: []byte(`{{define "main"}}{{end}}`)},
	}
	p, err := parse(broken, testAssets())
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := p.Error(&buf, ErrorPage{}); err == nil || buf.Len() > 0 {
		t.Errorf("a page that fails wrote %q with error %v, want nothing and an error", buf.String(), err)
	}
}

func TestABuildThatWasNotMadeSaysWhatToDo(t *testing.T) {
	_, err := readManifest(fstest.MapFS{".keep": {}})
	if !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "make build") {
		t.Errorf("got %v, want a sentence that says to run make build", err)
	}
	if _, err := readManifest(fstest.MapFS{"manifest.json": {Data: []byte("{")}}); err == nil {
		t.Error("half a manifest is accepted")
	}
}

func TestTheBuildHasEveryAsset(t *testing.T) {
	m, err := readManifest(Static())
	if errors.Is(err, ErrNotBuilt) {
		t.Skip("the browser code is not built: that the templates' assets exist was not checked")
	}
	if err != nil {
		t.Fatal(err)
	}
	for name := range testAssets() {
		a, ok := m[name]
		if !ok {
			t.Errorf("the build lacks %s", name)
			continue
		}
		for _, file := range append(a.Imports, a.File) {
			f, err := Static().Open(file)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_ = f.Close()
		}
	}
}
