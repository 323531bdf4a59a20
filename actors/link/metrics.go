package link

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics count what nodes do.
type metrics struct {
	ends  *prometheus.CounterVec
	stale prometheus.Counter
}

func newMetrics(r prometheus.Registerer, s *Server) *metrics {
	m := &metrics{
		ends: promauto.With(r).NewCounterVec(prometheus.CounterOpts{Name: "sharpie_node_connections_ended_total",
			Help: "Connections of runner nodes that ended, by why."}, []string{"why"}),
		stale: promauto.With(r).NewCounter(prometheus.CounterOpts{Name: "sharpie_node_messages_dropped_total",
			Help: "Messages of runner nodes that came too late, or that nobody needs."}),
	}
	if r != nil {
		r.MustRegister(&collector{server: s,
			info:     nodeDesc("info", "What a runner node says of itself, always 1.", "version", "platform", "labels"),
			up:       nodeDesc("up", "1 while a runner node is connected, 0 while it may come back."),
			draining: nodeDesc("draining", "1 while a runner node takes no more sessions."),
			slots:    nodeDesc("slots", "Episodes that a runner node takes at a time."),
			busy:     nodeDesc("busy_slots", "Slots of a runner node that play."),
			load:     nodeDesc("load", "Processes of a node's machine that run or want to, per core, over a minute; absent where unknown."),
			latency:  nodeDesc("round_trip_seconds", "Round trip of a heartbeat."),
			joined:   nodeDesc("joined_timestamp_seconds", "When the process of a runner node joined first."),
			seen:     nodeDesc("last_seen_timestamp_seconds", "When a runner node was heard last."),
		})
	}
	return m
}

// nodeDesc describes a metric of each node.
func nodeDesc(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("sharpie_node_"+name, help, append([]string{"node"}, more...), nil)
}

// endLabel keeps what a node says out of the labels.
func endLabel(code string) string {
	switch code {
	case "lost", "left", "fenced", "replaced", "revoked", "breach", "stopping":
		return code
	}
	return "other"
}

// collector reports the nodes as they are when it is asked.
type collector struct {
	server                                                       *Server
	info, up, draining, slots, busy, load, latency, joined, seen *prometheus.Desc
}

// maxLabelsShown bounds a node's labels as one label of a metric, bytes.
const maxLabelsShown = 256

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.info, c.up, c.draining, c.slots, c.busy, c.load, c.latency, c.joined, c.seen} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, n := range c.server.Nodes() {
		gauge(c.info, 1, n.ID, n.Version, n.Platform, clip(strings.Join(n.Labels, ","), maxLabelsShown))
		gauge(c.up, flag(n.Connected), n.ID)
		gauge(c.draining, flag(n.Draining), n.ID)
		gauge(c.slots, float64(n.Slots), n.ID)
		gauge(c.busy, float64(n.Busy), n.ID)
		gauge(c.joined, seconds(n.JoinedAt), n.ID)
		gauge(c.seen, seconds(n.SeenAt), n.ID)
		if n.LoadKnown {
			gauge(c.load, n.Load, n.ID)
		}
		if n.Latency > 0 {
			gauge(c.latency, n.Latency.Seconds(), n.ID)
		}
	}
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
