package bench

import (
	"slices"
	"time"
)

// samples collects durations; the zero value is ready. It is owned by one
// goroutine; merge joins several afterwards.
type samples struct{ d []time.Duration }

func (s *samples) add(d time.Duration) { s.d = append(s.d, d) }

func merge(all ...*samples) *samples {
	n := 0
	for _, s := range all {
		n += len(s.d)
	}
	out := &samples{d: make([]time.Duration, 0, n)}
	for _, s := range all {
		out.d = append(out.d, s.d...)
	}
	slices.Sort(out.d)
	return out
}

// seconds is all of them.
func (s *samples) seconds() []float64 {
	out := make([]float64, len(s.d))
	for i, d := range s.d {
		out[i] = d.Seconds()
	}
	return out
}

// Quantiles of round trips, in milliseconds; all 0 where N is 0.
type Quantiles struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// quantiles expects sorted samples; a quantile is the smallest sample that at
// least that share does not exceed.
func (s *samples) quantiles() Quantiles {
	q := Quantiles{N: len(s.d)}
	if q.N == 0 {
		return q
	}
	at := func(p float64) float64 {
		i := int(p*float64(q.N)+0.999999) - 1
		return float64(s.d[min(max(i, 0), q.N-1)]) / 1e6
	}
	q.P50, q.P95, q.P99, q.Max = at(.50), at(.95), at(.99), at(1)
	return q
}
