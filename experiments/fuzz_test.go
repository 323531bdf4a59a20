package experiments

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse: whatever the file, Parse returns a definition that survives being
// stored, or an *Error that lists at most 20 problems within the file.
func FuzzParse(f *testing.F) {
	for _, src := range Demos() {
		f.Add(src.YAML)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse("fuzz.yaml", data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, ErrInvalid) || len(e.Problems) == 0 || len(e.Problems) > maxProblems {
				t.Fatalf("got %T: %v", err, err)
			}
			return
		}
		doc, err := d.Document()
		if err != nil {
			t.Fatalf("no document: %v", err)
		}
		again, err := FromDocument(doc)
		if err != nil {
			t.Fatalf("the document cannot be read: %v", err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatalf("the document loses something:\n%s", diff)
		}
	})
}
