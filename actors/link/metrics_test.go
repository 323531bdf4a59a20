package link

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/protobuf/proto"
)

// here is a node that is connected, without a connection.
func here(id string, slots uint32) *node {
	n := &node{id: id, slots: slots, joined: time.UnixMilli(1_700_000_000_000), tunnel: &tunnel{meter: newMeter(nil, nil)}, gone: make(chan struct{})}
	n.load.Store(-1)
	return n
}

func TestMetricsTellOfEveryNodeThatIsThereOrMayComeBack(t *testing.T) {
	s := &Server{nodes: map[string]*node{}}
	registry := prometheus.NewRegistry()
	s.metrics = newMetrics(registry, s)
	scrape := func() string {
		w := httptest.NewRecorder()
		promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		return w.Body.String()
	}
	gpu := here("box.aaaaaaaa", 4)
	gpu.version, gpu.platform, gpu.labels = "v2", "linux/amd64", []string{"gpu", "lab"}
	gpu.tunnel.beats.rtt = 1500 * time.Microsecond
	gpu.heard(&Beat{Busy: 3, LoadPermille: proto.Uint32(250)})
	gpu.draining.Store(true)
	away := here("laptop.bbbbbbbb", 1)
	away.tunnel, away.seen, away.labels = nil, time.UnixMilli(1_700_000_001_500), make([]string, maxLabels)
	for i := range away.labels {
		away.labels[i] = strings.Repeat("x", maxLabelBytes)
	}
	s.nodes[gpu.id], s.nodes[away.id] = gpu, away

	text := scrape()
	for _, line := range []string{
		`sharpie_node_info{labels="gpu,lab",node="box.aaaaaaaa",platform="linux/amd64",version="v2"} 1`,
		`sharpie_node_up{node="box.aaaaaaaa"} 1`,
		`sharpie_node_up{node="laptop.bbbbbbbb"} 0`,
		`sharpie_node_draining{node="box.aaaaaaaa"} 1`,
		`sharpie_node_draining{node="laptop.bbbbbbbb"} 0`,
		`sharpie_node_slots{node="box.aaaaaaaa"} 4`,
		`sharpie_node_busy_slots{node="box.aaaaaaaa"} 3`,
		`sharpie_node_load{node="box.aaaaaaaa"} 0.25`,
		`sharpie_node_round_trip_seconds{node="box.aaaaaaaa"} 0.0015`,
		`sharpie_node_joined_timestamp_seconds{node="box.aaaaaaaa"} 1.7e+09`,
		`sharpie_node_last_seen_timestamp_seconds{node="laptop.bbbbbbbb"} 1.7000000015e+09`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("/metrics lacks the line %s; it says:\n%s", line, text)
		}
	}
	if strings.Contains(text, `sharpie_node_load{node="laptop`) {
		t.Errorf("a node whose load is not known has one in /metrics:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if len(line) > 600 {
			t.Errorf("what a node says of itself makes a line of %d bytes in /metrics", len(line))
		}
	}

	delete(s.nodes, away.id)
	if text := scrape(); strings.Contains(text, "laptop") {
		t.Errorf("a node that is gone is still in /metrics:\n%s", text)
	}
}
