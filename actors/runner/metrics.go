package runner

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what the runners of a process do.
type Metrics struct {
	steps        prometheus.Counter
	lateness     prometheus.Histogram
	rebased      prometheus.Counter
	unacked      prometheus.Gauge
	blocked      prometheus.Counter
	stale        prometheus.Counter
	droppedInput prometheus.Counter
	hung         prometheus.Gauge
	failures     *prometheus.CounterVec
	png, jpeg    prometheus.Counter
	withheld     prometheus.Counter
	cuts         prometheus.Counter
	resent       prometheus.Counter
	replayed     prometheus.Counter
}

// NewMetrics makes the metrics and registers them; a nil Registerer registers
// nothing. It panics if they are registered already: make them once per process.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "sharpie", Subsystem: "runner", Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "sharpie", Subsystem: "runner", Name: name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "sharpie", Subsystem: "runner", Name: name, Help: help}, []string{label})
	}
	m := &Metrics{
		steps: counter("steps_total", "Environment steps taken."),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "sharpie", Subsystem: "runner", Name: "tick_lateness_seconds",
			Help:    "How long after its deadline a real-time tick began.",
			Buckets: []float64{0.0005, 0.001, 0.002, 0.005, 0.010, 0.020, 0.033, 0.066, 0.133, 0.5, 1},
		}),
		rebased:      counter("ticks_rebased_total", "Times that a loop fell so far behind that its clock was set anew."),
		unacked:      gauge("unacked_steps", "Step records reported and not yet stored."),
		blocked:      counter("unacked_blocked_total", "Times that a loop stopped because too many records were not stored."),
		stale:        counter("stale_messages_total", "Messages dropped because they belong to another episode or session."),
		droppedInput: counter("dropped_inputs_total", "Inputs dropped because a loop did not take them fast enough."),
		hung:         gauge("hung_loops", "Loops that were abandoned and have not returned."),
		withheld:     counter("pictures_withheld_total", "Pictures that waited for credit, or for the session, and may have been overtaken."),
		cuts:         counter("link_cuts_total", "Times that a session was out of reach."),
		resent:       counter("resent_records_total", "Step records sent again after a cut."),
		replayed:     counter("replayed_steps_total", "Recorded steps taken again to resume an episode."),
		failures:     vec("failures_total", "Episodes that failed, by code.", "code"),
	}
	pictures := vec("pictures_total", "Pictures sent, by codec.", "codec")
	m.png, m.jpeg = pictures.WithLabelValues("png"), pictures.WithLabelValues("jpeg")
	if r != nil {
		r.MustRegister(m.steps, m.lateness, m.rebased, m.unacked, m.blocked, m.stale, m.droppedInput, m.hung, m.failures, pictures,
			m.withheld, m.cuts, m.resent, m.replayed)
	}
	return m
}
