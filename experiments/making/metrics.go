package making

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sharpie/envs"
)

// metrics are what is counted of researchers' code.
type metrics struct {
	workers prometheus.Gauge
	faults  *prometheus.CounterVec
	opening prometheus.Histogram
}

// newMetrics makes the counters and registers them; nil registers nothing.
func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		workers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "sharpie_python_workers", Help: "Python processes of running episodes and checks.",
		}),
		faults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sharpie_python_faults_total", Help: "Failures of researchers' environments while loading, resetting and stepping, by state.",
		}, []string{"state"}),
		opening: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sharpie_python_open_seconds", Help: "Time from an order to a loaded Python environment, or to a process for policies.",
			Buckets: []float64{.05, .1, .2, .3, .5, 1, 2, 5, 10, 30, 60, 120},
		}),
	}
	if r != nil {
		r.MustRegister(m.workers, m.faults, m.opening)
	}
	return m
}

// opened notes how opening went.
func (m *metrics) opened(began time.Time, err error) {
	if err != nil {
		m.failed(err)
		return
	}
	m.opening.Observe(time.Since(began).Seconds())
	m.workers.Inc()
}

// failed counts a fault.
func (m *metrics) failed(err error) {
	if f := new(envs.Fault); errors.As(err, &f) {
		m.faults.WithLabelValues(string(f.State)).Inc()
	}
}
