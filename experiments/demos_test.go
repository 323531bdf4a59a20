package experiments

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDemosParseAndRoundTrip(t *testing.T) {
	for _, src := range Demos() {
		d, err := Parse(src.Name, src.YAML)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		b, err := d.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		again, err := FromCanonical(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Errorf("%s: the canonical form loses something:\n%s", src.Name, diff)
		}
		doc, err := d.Document()
		if err != nil {
			t.Fatal(err)
		}
		if again, err = FromDocument(doc); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Errorf("%s: the stored document loses something:\n%s", src.Name, diff)
		}
		t.Logf("%s", b)
	}
}
