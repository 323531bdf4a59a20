package link

import (
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
			slots:   prometheus.NewDesc("sharpie_node_slots", "Episodes that a runner node takes at a time.", []string{"node"}, nil),
			busy:    prometheus.NewDesc("sharpie_node_busy_slots", "Slots of a runner node that play.", []string{"node"}, nil),
			up:      prometheus.NewDesc("sharpie_node_up", "1 while a runner node is connected.", []string{"node", "version"}, nil),
			latency: prometheus.NewDesc("sharpie_node_round_trip_seconds", "Round trip of a heartbeat.", []string{"node"}, nil),
		})
	}
	return m
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
	server                   *Server
	slots, busy, up, latency *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.slots, c.busy, c.up, c.latency} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, n := range c.server.Nodes() {
		up := 0.0
		if n.Connected {
			up = 1
		}
		gauge(c.up, up, n.ID, n.Version)
		gauge(c.slots, float64(n.Slots), n.ID)
		gauge(c.busy, float64(n.Busy), n.ID)
		if n.Latency > 0 {
			gauge(c.latency, float64(n.Latency)/float64(time.Second), n.ID)
		}
	}
}
