package bench

import (
	"context"
	"fmt"
	"math"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"sharpie/cmd/sharpie/internal/client"
)

// families is what /metrics says, by name.
type families map[string]*dto.MetricFamily

// metrics reads /metrics.
func (s *server) metrics(ctx context.Context) (families, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	res, err := client.Transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("bench: read /metrics: %w", err)
	}
	defer res.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	f, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		return nil, fmt.Errorf("bench: read /metrics: %w", err)
	}
	return f, nil
}

// gauge is the sum of a gauge over its labels.
func (f families) gauge(name string) float64 {
	sum := 0.0
	for _, m := range f[name].GetMetric() {
		sum += m.GetGauge().GetValue()
	}
	return sum
}

// buckets is a histogram: how many samples are at most as large as each bound.
type buckets map[float64]uint64

func (f families) histogram(name string) buckets {
	b := buckets{}
	for _, m := range f[name].GetMetric() {
		b[math.Inf(1)] += m.GetHistogram().GetSampleCount()
		for _, x := range m.GetHistogram().GetBucket() {
			if !math.IsInf(x.GetUpperBound(), 1) {
				b[x.GetUpperBound()] += x.GetCumulativeCount()
			}
		}
	}
	return b
}

// all is the number of samples.
func (b buckets) all() uint64 { return b[math.Inf(1)] }

// since leaves out what was there before.
func (b buckets) since(before buckets) buckets {
	out := buckets{}
	for bound, n := range b {
		out[bound] = n - before[bound]
	}
	return out
}

// within is the smallest bound that no sample exceeds; 0 where there are none.
func (b buckets) within() float64 {
	least := math.Inf(1)
	if b.all() == 0 {
		return 0
	}
	for bound, n := range b {
		if n == b.all() {
			least = min(least, bound)
		}
	}
	return least
}

// tickCount is the server's histogram of tick lateness so far.
type tickCount struct{ onTime, all float64 }

// ticks reads it. Its bucket of 5 ms is "on time". Runner nodes count for themselves.
func (b *bencher) ticks(ctx context.Context) (tickCount, error) {
	f, err := b.server.metrics(ctx)
	if err != nil {
		return tickCount{}, err
	}
	h := f.histogram("sharpie_runner_tick_lateness_seconds")
	return tickCount{onTime: float64(h[0.005]), all: float64(h.all())}, nil
}
