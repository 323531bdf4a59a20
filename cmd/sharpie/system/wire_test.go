package system

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// wire is a way from runner nodes to the server that can be made bad, by a
// fault-injecting proxy in this process.
type wire struct {
	t       testing.TB
	server  *toxiproxy.ApiServer
	proxy   *toxiproxy.Proxy // a new one each time that it was made good
	address string
	to      string
	base    string // the address to join at
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
	w := &wire{t: l.t, server: server, address: "127.0.0.1:0", to: l.addr}
	w.mend()
	w.address = w.proxy.Listen // the same after it was cut
	w.base = "http://" + w.address
	l.t.Cleanup(w.cut)
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
	done := make(chan error, 1)
	go func(p *toxiproxy.Proxy) {
		for _, d := range directions {
			text, err := json.Marshal(map[string]any{"type": x.kind, "stream": d, "attributes": x.attributes})
			if err == nil {
				_, err = p.Toxics.AddToxicJson(bytes.NewReader(text))
			}
			if err != nil {
				done <- fmt.Errorf("make the wire %s %s: %w", d, x.kind, err)
				return
			}
		}
		done <- nil
	}(w.proxy)
	select {
	case err := <-done:
		if err != nil {
			w.t.Error(err)
		}
	case <-time.After(time.Second): // a connection is stuck, which is bad enough
	}
	return now
}

// heal makes the wire good again, for connections that begin from now on: those that
// there are end, because the proxy cannot free one that is stuck.
func (w *wire) heal() {
	w.cut()
	w.mend()
}

// cut ends all connections and takes no new ones, until mend.
func (w *wire) cut() {
	stopped := make(chan struct{})
	go func(p *toxiproxy.Proxy) {
		defer close(stopped)
		p.Stop()
	}(w.proxy)
	select {
	case <-stopped:
	case <-time.After(time.Second): // something in it is stuck; it listens no more
	}
}

// mend lays a new wire in the same place.
func (w *wire) mend() {
	var err error
	for range 50 {
		w.proxy = toxiproxy.NewProxy(w.server, "wire", w.address, w.to)
		if err = w.proxy.Start(); err == nil {
			return
		}
		pass(50 * time.Millisecond)
	}
	w.t.Errorf("mend the wire: %v", err)
}
