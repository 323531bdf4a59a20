package actors

import "github.com/prometheus/client_golang/prometheus"

// metrics counts what the actors do.
type metrics struct {
	phases     *prometheus.GaugeVec
	inputs     *prometheus.CounterVec
	frames     prometheus.Counter
	skipped    prometheus.Counter
	statuses   prometheus.Counter
	painted    prometheus.Counter
	closed     *prometheus.CounterVec
	stale      *prometheus.CounterVec
	assignment prometheus.Histogram
	stored     prometheus.Counter
	writes     prometheus.Histogram
	storeFails *prometheus.CounterVec
	faults     *prometheus.CounterVec
	handOvers  *prometheus.CounterVec
}

const namespace = "sharpie"

// newMetrics makes the metrics and registers them; nil registers nothing.
func newMetrics(r prometheus.Registerer, n *counts) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, []string{label})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	}
	gauge := func(name, help string, value func() int64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	m := &metrics{
		phases:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "sessions", Help: "Sessions, by phase."}, []string{"phase"}),
		inputs:     vec("inputs_total", "Inputs of participants: accepted, or why they were refused.", "result"),
		frames:     counter("frames_total", "Pictures handed to sockets."),
		skipped:    counter("frames_skipped_total", "Pictures that a slow socket did not get, because a newer one was there."),
		statuses:   counter("statuses_total", "Status messages handed to sockets."),
		painted:    counter("painted_total", "Pictures that browsers said to have painted."),
		closed:     vec("sockets_expelled_total", "Sockets that were closed because of what they did, by reason.", "reason"),
		stale:      vec("stale_messages_total", "Messages dropped because they came too late or are of no known kind.", "kind"),
		assignment: histogram("assignment_seconds", "From the moment that a session and a slot could meet until the session was told.", []float64{.00001, .0001, .001, .005, .01, .05, .1, 1}),
		stored:     counter("steps_stored_total", "Step records stored."),
		writes:     histogram("store_write_seconds", "How long one write to the store took.", []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .5, 1, 5}),
		storeFails: vec("store_errors_total", "Writes that failed, by whether they are repeated.", "kind"),
		faults:     vec("actor_faults_total", "Actors that stopped because of a fault, by kind.", "actor"),
		handOvers:  vec("hand_overs_total", "Runners that were away or lost in mid-episode, and what became of it.", "kind"),
	}
	if r == nil {
		return m
	}
	r.MustRegister(m.phases, m.inputs, m.frames, m.skipped, m.statuses, m.painted, m.closed, m.stale, m.assignment, m.stored, m.writes, m.storeFails, m.faults, m.handOvers,
		gauge("participants_connected", "Sockets of participants.", n.connected.Load),
		gauge("unstored_steps", "Step records that wait for the store.", n.unstored.Load),
		gauge("runner_slots", "Runner slots that are known.", n.slots.Load),
		gauge("runner_slots_free", "Runner slots without a session.", n.freeSlots.Load),
		gauge("queue_length", "Sessions that wait for a runner.", n.waiting.Load))
	return m
}
