package system

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// wire is a way from runner nodes to the server that can be made bad, by a
// fault-injecting proxy in this process.
type wire struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
	base  string // the address to join at
}

// The two directions of a wire.
const (
	toServer = "upstream"
	toNode   = "downstream"
)

// wire lays one.
func (l *lab) wire() *wire {
	l.t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &wire{t: l.t, proxy: toxiproxy.NewProxy(server, "wire", "127.0.0.1:0", l.addr)}
	if err := w.proxy.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(w.proxy.Stop)
	w.base = "http://" + w.proxy.Listen // the same after it was cut
	return w
}

// toxic is something bad on the wire: its kind in the proxy, and its numbers.
type toxic struct {
	kind       string
	attributes map[string]int
}

// The kinds of bad wires.
var (
	silent  = toxic{kind: "timeout"}    // what is sent is lost, and nobody hears of it
	reset   = toxic{kind: "reset_peer"} // connections are reset
	stalled = toxic{"bandwidth", map[string]int{"rate": 1}}
	distant = toxic{"latency", map[string]int{"latency": 100, "jitter": 30}} // each way
)

// poison makes the directions bad, for connections that are there and for new ones.
func (w *wire) poison(x toxic, directions ...string) time.Time {
	w.t.Helper()
	now := time.Now()
	for _, d := range directions {
		text, err := json.Marshal(map[string]any{"type": x.kind, "stream": d, "attributes": x.attributes})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
			w.t.Fatalf("make the wire %s %s: %v", d, x.kind, err)
		}
	}
	return now
}

// heal makes the wire good again. Where the proxy cannot free a connection that is
// stuck, that one is cut.
func (w *wire) heal() {
	healed := make(chan struct{})
	go func() {
		defer close(healed)
		w.proxy.Toxics.ResetToxics(context.Background())
	}()
	select {
	case <-healed:
	case <-time.After(3 * time.Second):
		w.cut()
		<-healed
		w.mend()
	}
}

// cut ends all connections and takes no new ones, until mend.
func (w *wire) cut() { w.proxy.Stop() }

func (w *wire) mend() {
	if err := w.proxy.Start(); err != nil {
		w.t.Errorf("mend the wire: %v", err)
	}
}
