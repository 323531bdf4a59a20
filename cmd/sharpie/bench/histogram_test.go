package bench

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuantiles(t *testing.T) {
	var a, b samples
	for i := 1; i <= 50; i++ {
		a.add(time.Duration(i) * time.Millisecond)
		b.add(time.Duration(50+i) * time.Millisecond)
	}
	want := Quantiles{N: 100, P50: 50, P95: 95, P99: 99, Max: 100}
	if diff := cmp.Diff(want, merge(&b, &a).quantiles()); diff != "" {
		t.Errorf("quantiles of 1 … 100 ms (-want +got):\n%s", diff)
	}
	if got := merge().quantiles(); got != (Quantiles{}) {
		t.Errorf("quantiles of nothing = %+v, want zeros", got)
	}
}
