package link

import (
	"testing"

	"google.golang.org/protobuf/proto"
)

func TestTheLoadIsPerCore(t *testing.T) {
	for _, c := range []struct {
		text  string
		cores int
		want  float64
		known bool
	}{
		{"0.50 0.18 0.12 1/80 11206\n", 2, 0.25, true},
		{"0.00 0.00 0.00 1/80 11206\n", 8, 0, true},
		{"12.00 9.00 5.00 13/80 11206\n", 4, 3, true},
		{"1e12 0 0 1/1 1", 1, 1000, true},
		{"", 2, 0, false},
		{"-1.00 0 0", 2, 0, false},
		{"NaN 0 0", 2, 0, false},
		{"+Inf 0 0", 2, 0, false},
		{"high", 2, 0, false},
		{"1.00 0 0", 0, 0, false},
	} {
		if got, known := parseLoad(c.text, c.cores); got != c.want || known != c.known {
			t.Errorf("%q on %d cores is a load of %v, known %t; want %v, %t", c.text, c.cores, got, known, c.want, c.known)
		}
	}
}

func TestWhatANodeClaimsIsBounded(t *testing.T) {
	for _, c := range []struct {
		name  string
		beat  *Beat
		busy  int
		load  float64
		known bool
	}{
		{"nothing of its load", &Beat{Busy: 1}, 1, 0, false},
		{"no load", &Beat{LoadPermille: proto.Uint32(0)}, 0, 0, true},
		{"some load", &Beat{Busy: 2, LoadPermille: proto.Uint32(420)}, 2, 0.42, true},
		{"too much of both", &Beat{Busy: 4e9, LoadPermille: proto.Uint32(4e9)}, 2, 1000, true},
	} {
		n := here("n", 2)
		n.heard(c.beat)
		if v := n.view(n.joined); v.Busy != c.busy || v.Load != c.load || v.LoadKnown != c.known {
			t.Errorf("a node that claims %s shows %d busy slots, load %v, known %t; want %d, %v, %t", c.name, v.Busy, v.Load, v.LoadKnown, c.busy, c.load, c.known)
		}
		n.tunnel = nil
		if v := n.view(n.joined); v.LoadKnown {
			t.Errorf("a node that claimed %s and is away still shows a load", c.name)
		}
	}
}
