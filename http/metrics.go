package http

import (
	"fmt"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics counts answers and sockets.
type metrics struct {
	answers *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	sockets *prometheus.GaugeVec
	closes  *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sharpie_http_requests_total", Help: "Requests answered, by route, method and status.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sharpie_http_request_seconds", Help: "Time to answer a request, by route.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10},
		}, []string{"route"}),
		sockets: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sharpie_http_sockets", Help: "WebSockets open, by kind (play, check).",
		}, []string{"kind"}),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sharpie_http_socket_closes_total", Help: "WebSockets closed, by kind and close code; 0 where the network was lost.",
		}, []string{"kind", "code"}),
	}
	for _, c := range []prometheus.Collector{m.answers, m.seconds, m.sockets, m.closes} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("http: register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) answered(route, method string, status int, took time.Duration) {
	m.answers.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// metricsHandler answers /metrics in Prometheus' text format.
func (s *Server) metricsHandler() fiber.Handler {
	return adaptor.HTTPHandler(promhttp.HandlerFor(s.cfg.Registry, promhttp.HandlerOpts{}))
}
