package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sharpie/actors"
	"sharpie/actors/link"
	"sharpie/experiments"
	"sharpie/experiments/supply"
	"sharpie/http"
	"sharpie/persistence"
)

// door lets in nodes with keys of a store, without tunnels. What a key is, and how it is
// compared, is package link's; see its tests.
type door struct {
	keys  map[string]string // key → id, "" where it was revoked
	nodes []actors.Node
	known string      // a key that came before
	came  chan string // addresses of the nodes whose tunnels are served; nil: nobody asks
}

var _ actors.Nodes = door{}

func (d door) Nodes() []actors.Node { return d.nodes }

func (d door) Serve(_ context.Context, socket actors.NodeSocket, _ string) error {
	if d.came != nil {
		d.came <- socket.RemoteAddr().String()
	}
	return nil
}

func (d door) Known(key string) bool { return d.known != "" && key == d.known }

func (d door) Authenticate(_ context.Context, key string) (string, error) {
	id, ok := d.keys[key]
	switch {
	case !ok:
		return "", link.ErrUnknownKey
	case id == "":
		return "", link.ErrRevoked
	}
	return id, nil
}

// Bundle implements persistence.Store.
func (a *awayStore) Bundle(ctx context.Context, hash string) (*persistence.Bundle, error) {
	b, err := a.Store.Bundle(ctx, hash)
	return b, orAway(a, err)
}

// sorted puts words in order.
func sorted(words []string) string {
	slices.Sort(words)
	return strings.Join(words, " ")
}

// depot is a site with one bundle, three experiments and a key with the label gpu.
type depot struct {
	*site
	hash string
	data []byte
}

const good, revoked = "shk_good", "shk_revoked"

func newDepot(t *testing.T, change ...func(*http.Config)) *depot {
	t.Helper()
	keys := door{keys: map[string]string{good: "rk1", revoked: ""}, known: good}
	d := &depot{site: newSite(t, append(change, func(c *http.Config) { c.Nodes = keys })...)}
	d.hash, d.data = strings.Repeat("ab", 32), bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	now := d.clock.now()
	err := d.store.InsertBundle(t.Context(), &persistence.Bundle{Hash: d.hash, Size: int64(len(d.data)), Data: d.data, CreatedAt: now})
	if err == nil {
		err = d.store.InsertRunnerKey(t.Context(), &persistence.RunnerKey{ID: "rk1", Name: "lab", Prefix: "aaaaaaaa", Hash: "h", Labels: []string{"gpu"}, CreatedAt: now, CreatedBy: "Ann"})
	}
	if err != nil {
		t.Fatal(err)
	}
	for link, needs := range map[string]string{"plain": "", "fast": "needs: [gpu]", "arm": "needs: [robot]", "shut": "enabled: false"} {
		src := experiments.Source{Name: link + ".yaml", BundleHash: d.hash, YAML: fmt.Appendf(nil, pythonStudy, link, needs)}
		if _, _, err := experiments.Import(t.Context(), d.store.Store, src, "Ann", now); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

const pythonStudy = `environment: {name: E, description: it, filepaths: {environment: environment.py}}
agents:
  - {role: agent_0, name: A, description: You, participant: true, keyboard_inputs: {ArrowLeft: 1, default: 0}, inputs_type: actions}
experiment:
  link: %[1]s
  name: Study %[1]s
  number_of_episodes: 1
  target_fps: 20
  %[2]s
`

func (d *depot) ask(path, key string, headers ...string) page {
	d.t.Helper()
	if key != "" {
		headers = append(headers, "Authorization", "Bearer "+key)
	}
	return d.browser().get(path, headers...)
}

func TestANodeGetsABundleByItsHash(t *testing.T) {
	d := newDepot(t)
	p := d.ask(supply.BundlesPath+d.hash, good)
	if p.status != 200 || p.body != string(d.data) || p.header.Get("Content-Length") != fmt.Sprint(len(d.data)) {
		t.Errorf("answered %d with %d bytes, Content-Length %s; want all %d", p.status, len(p.body), p.header.Get("Content-Length"), len(d.data))
	}
	for _, hash := range []string{strings.Repeat("cd", 32), "x", strings.ToUpper(d.hash), d.hash + "0", "..%2f" + d.hash} {
		if p := d.ask(supply.BundlesPath+hash, good); p.status != 404 {
			t.Errorf("%s answered %d, want 404", hash, p.status)
		}
	}
	for _, path := range []string{"/runner/bundles", supply.BundlesPath, "/runner"} {
		if p := d.ask(path, good); p.status != 404 || strings.Contains(p.body, d.hash) {
			t.Errorf("%s answered %d: %s", path, p.status, p.text())
		}
	}
}

func TestOnlyNodesGetBundlesAndLists(t *testing.T) {
	d := newDepot(t)
	for _, path := range []string{supply.BundlesPath + d.hash, supply.BundlesPath + strings.Repeat("cd", 32), supply.ExperimentsPath} {
		for key, want := range map[string]int{"": 401, "shk_wrong": 401, revoked: 403} {
			p := d.ask(path, key)
			if p.status != want || p.header.Get(supply.RefusedHeader) == "" || len(p.body) > 200 {
				t.Errorf("%s with the key %q answered %d, want %d with a sentence: %s", path, key, p.status, want, p.body)
			}
		}
	}
	// An administrator's log-in is no key.
	if p := d.admin("Ada").get(supply.BundlesPath + d.hash); p.status != 401 {
		t.Errorf("an administrator's browser got %d, want 401", p.status)
	}
	if supply.RefusedHeader != actors.NodeRefusedHeader {
		t.Errorf("nodes look for %s, and refusals have %s", supply.RefusedHeader, actors.NodeRefusedHeader)
	}
}

func TestWrongKeysAreLimited(t *testing.T) {
	d := newDepot(t)
	last := 0
	for range 40 {
		last = d.ask(supply.BundlesPath+d.hash, "shk_wrong").status
	}
	if last != 429 {
		t.Errorf("the 40th wrong key answered %d, want 429", last)
	}
	if p := d.ask(supply.ExperimentsPath, "shk_wrong"); p.status != 429 {
		t.Errorf("at another address: %d, want 429 as well", p.status)
	}
	if p := d.ask(supply.ExperimentsPath, good); p.status != 200 {
		t.Errorf("a node that was here before answers for others of its address: %d", p.status)
	}
}

func TestWithoutNodesThereIsNothingForThem(t *testing.T) {
	d := newDepot(t)
	s := newSite(t)
	for _, path := range []string{supply.BundlesPath + d.hash, supply.ExperimentsPath} {
		if p := s.browser().get(path, "Authorization", "Bearer "+good); p.status != 404 {
			t.Errorf("%s answered %d, want 404", path, p.status)
		}
	}
}

func TestANodeIsToldWhatItsLabelsSatisfy(t *testing.T) {
	d := newDepot(t)
	list := func(path string) (links []string, tag string) {
		p := d.ask(path, good)
		var l supply.Listing
		if err := json.Unmarshal([]byte(p.body), &l); err != nil || p.status != 200 {
			t.Fatalf("answered %d, %v: %s", p.status, err, p.body)
		}
		for _, e := range l.Experiments {
			def, err := experiments.FromCanonical(e.Definition)
			if err != nil || e.Bundle != d.hash || e.Version != 1 || string(def.Experiment.Link) != e.Link {
				t.Errorf("%s, version %d, bundle %s: %v", e.Link, e.Version, e.Bundle, err)
			}
			links = append(links, e.Link)
		}
		return links, p.header.Get("ETag")
	}
	links, tag := list(supply.ExperimentsPath)
	if got := sorted(links); got != "fast plain" {
		t.Errorf("the node is told %q, want those without needs and with the key's label", got)
	}
	if links, _ := list(supply.ExperimentsPath + "?label=robot&label=other"); sorted(links) != "arm fast plain" {
		t.Errorf("with the label robot it is told %q", links)
	}
	if p := d.ask(supply.ExperimentsPath, good, "If-None-Match", tag); p.status != 304 || p.body != "" {
		t.Errorf("with the tag %s of the same list: %d, %d bytes; want 304", tag, p.status, len(p.body))
	}
	if p := d.ask(supply.ExperimentsPath+"?label=robot", good, "If-None-Match", tag); p.status != 200 {
		t.Errorf("with the tag of another list: %d, want 200", p.status)
	}
}

func TestAStoreThatIsAwayIsSaidToNodes(t *testing.T) {
	d := newDepot(t)
	d.store.goAway(true)
	for _, path := range []string{supply.BundlesPath + d.hash, supply.ExperimentsPath} {
		if p := d.ask(path, good); p.status != 503 || p.header.Get("Retry-After") == "" {
			t.Errorf("%s answered %d, Retry-After %q; want 503 with a time", path, p.status, p.header.Get("Retry-After"))
		}
	}
	d.store.goAway(false)
	if p := d.ask(supply.BundlesPath+d.hash, good); p.status != 200 {
		t.Errorf("once the store is back: %d", p.status)
	}
}

// TestNodesThatHangUpGiveTheirPlaceBack has more nodes begin than may at a time.
func TestNodesThatHangUpGiveTheirPlaceBack(t *testing.T) {
	d := newDepot(t)
	for range 5 {
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				conn, err := net.Dial("tcp", d.host)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", supply.BundlesPath+d.hash, good)
				_, _ = io.ReadFull(conn, make([]byte, 1000))
			})
		}
		all.Wait()
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		r := d.browser().request(nethttp.MethodGet, supply.BundlesPath+d.hash, nil, "Authorization", "Bearer "+good)
		if p := d.browser().do(r); p.status == 200 && len(p.body) == len(d.data) {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("after 150 nodes that hung up: %d", p.status)
		}
	}
}
