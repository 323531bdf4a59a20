package bench

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
		text   string
	}{
		{nil, Spread{}, "–"},
		{[]float64{4}, Spread{N: 1, Lowest: 4, Median: 4, Highest: 4}, "4.00"},
		{[]float64{3, 1, 2}, Spread{N: 3, Lowest: 1, Median: 2, Highest: 3}, "2.00 (1.00 to 3.00)"},
		{[]float64{4, 1, 2, -1}, Spread{N: 4, Lowest: -1, Median: 1.5, Highest: 4}, "1.50 (-1.00 to 4.00)"},
	} {
		got := spread(c.values)
		if diff := cmp.Diff(c.want, got); diff != "" || got.String() != c.text {
			t.Errorf("spread(%v) = %s, want %s (-want +got):\n%s", c.values, got, c.text, diff)
		}
	}
}

func TestVerdict(t *testing.T) {
	for want, f := range map[string]Figure{
		"reached":                 {AtMost: 2, Measured: spread([]float64{1, 2})},
		"reached, but not always": {AtMost: 2, Measured: spread([]float64{1, 1, 3})},
		"short":                   {AtMost: 2, Measured: spread([]float64{1, 3, 3})},
		"short: 2 never":          {AtMost: 2, Measured: spread([]float64{1}), Never: 2},
		"not measured":            {AtMost: 2},
	} {
		if got := f.verdict(); got != want {
			t.Errorf("%+v is %q, want %q", f, got, want)
		}
	}
}

func TestFiguresOfRoundsAndLosses(t *testing.T) {
	rtt := func(p50, p99 float64) Result { return Result{RoundTrip: Quantiles{N: 9, P50: p50, P99: p99}} }
	added := addedFigures([]Result{rtt(1, 4), rtt(2, 10), rtt(1.5, 3), rtt(2, 4), rtt(9, 9)}) // the last has no partner
	if diff := cmp.Diff([]Spread{spread([]float64{1, .5}), spread([]float64{6, 1})}, []Spread{added[0].Measured, added[1].Measured}); diff != "" {
		t.Errorf("added round trips (-want +got):\n%s", diff)
	}
	frozen := Loss{Node: "frozen", Players: 2, Before: Memory{RSS: 50e6}, During: Memory{RSS: 57e6}}
	frozen.noticed.d = []time.Duration{3 * time.Second, 3100 * time.Millisecond}
	frozen.resumed.d = []time.Duration{1500 * time.Millisecond}
	for _, f := range lossFigures([]Loss{frozen}) {
		want := map[string]string{
			"loss noticed, node frozen": "reached", "play goes on after that, node frozen": "short: 1 never", "server's memory, node frozen": "reached",
		}[f.Name]
		if want == "" {
			want = "not measured"
		}
		if got := f.verdict(); got != want {
			t.Errorf("%s: %s %s, want %s", f.Name, f.Measured, got, want)
		}
	}
	if f := assignmentFigure("a", buckets{.01: 4, math.Inf(1): 5}); f.verdict() == "reached" {
		t.Errorf("assignments over every bound are %+v", f)
	}
	if f := idleFigure([]Idle{{Without: .01, With: .05}}); f.verdict() != "reached" || math.Abs(f.Measured.Median-4) > 1e-9 {
		t.Errorf("nodes that cost 4 %% of a core are %+v", f)
	}
}

func TestTheReportOfNodesNamesEachNumber(t *testing.T) {
	n := &Nodes{Figures: append(addedFigures(nil), lossFigures(nil)...), Stored: []Stored{{Episodes: 1, Records: 5, Expected: 5}}}
	var b strings.Builder
	if err := (Report{Nodes: n}).print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"added round trip, p99", "loss noticed, node killed", "3.5 s", "16 MB", "stored, local: 5 of 5 step records in 1 episodes"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report does not have %q:\n%s", want, b.String())
		}
	}
}
