package bench

import (
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const exposition = `# TYPE sharpie_assignment_seconds histogram
sharpie_assignment_seconds_bucket{le="0.001"} 7
sharpie_assignment_seconds_bucket{le="0.01"} 9
sharpie_assignment_seconds_bucket{le="+Inf"} 10
sharpie_assignment_seconds_sum 1
sharpie_assignment_seconds_count 10
# TYPE sharpie_node_up gauge
sharpie_node_up{node="a",version="1"} 1
sharpie_node_up{node="b",version="1"} 1
`

func TestMetricsAreRead(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(exposition)) }))
	defer web.Close()
	f, err := (&server{base: web.URL}).metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := f.gauge("sharpie_node_up"); got != 2 {
		t.Errorf("sharpie_node_up = %g over both nodes, want 2", got)
	}
	if got := f.gauge("sharpie_nothing"); got != 0 {
		t.Errorf("a gauge that is not there = %g, want 0", got)
	}
	want := buckets{.001: 7, .01: 9, math.Inf(1): 10}
	if diff := cmp.Diff(want, f.histogram("sharpie_assignment_seconds")); diff != "" {
		t.Errorf("histogram (-want +got):\n%s", diff)
	}
}

func TestTheBoundThatNoSampleExceeds(t *testing.T) {
	before := buckets{.001: 1, .01: 2, math.Inf(1): 3}
	for name, c := range map[string]struct {
		now  buckets
		want float64
	}{
		"nothing new":   {before, 0},
		"all quick":     {buckets{.001: 5, .01: 6, math.Inf(1): 7}, .001},
		"some slower":   {buckets{.001: 4, .01: 6, math.Inf(1): 7}, .01},
		"one very slow": {buckets{.001: 4, .01: 5, math.Inf(1): 7}, math.Inf(1)},
	} {
		if got := c.now.since(before).within(); got != c.want {
			t.Errorf("%s: within %g s, want %g", name, got, c.want)
		}
	}
}
