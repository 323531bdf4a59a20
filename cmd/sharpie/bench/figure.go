package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Figure is one number to reach, as several rounds of the same run measured it beside
// their baseline.
type Figure struct {
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	AtMost   float64 `json:"at_most"` // the number to reach
	Measured Spread  `json:"measured"`
	// Beside is what the baseline is, and Baseline what it measured; empty: there is none.
	Beside   string `json:"beside,omitempty"`
	Baseline Spread `json:"baseline,omitzero"`
	// Never is how many samples had not come when the measurement ended.
	Never int `json:"never,omitempty"`
}

// Spread is what several measurements of the same thing had; zeros where N is 0.
type Spread struct {
	N       int     `json:"n"`
	Lowest  float64 `json:"lowest"`
	Median  float64 `json:"median"`
	Highest float64 `json:"highest"`
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	middle := (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	return Spread{N: len(v), Lowest: v[0], Median: middle, Highest: v[len(v)-1]}
}

// String is the median, and the range where there is one.
func (s Spread) String() string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("%.2f", s.Median)
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", s.Median, s.Lowest, s.Highest)
}

// verdict says whether the number was reached.
func (f Figure) verdict() string {
	switch {
	case f.Never > 0:
		return fmt.Sprintf("short: %d never", f.Never)
	case f.Measured.N == 0:
		return "not measured"
	case f.Measured.Highest <= f.AtMost:
		return "reached"
	case f.Measured.Median <= f.AtMost:
		return "reached, but not always"
	}
	return "short"
}

func printFigures(w io.Writer, figures []Figure) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "number\tat most\tmeasured: median (range)\tn\tbaseline, same run\t\t")
	for _, f := range figures {
		beside := "–"
		if f.Beside != "" {
			beside = f.Beside + " " + f.Baseline.String()
		}
		fmt.Fprintf(t, "%s\t%g %s\t%s\t%d\t%s\t%s\t\n", f.Name, f.AtMost, f.Unit, f.Measured, f.Measured.N, beside, f.verdict())
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("bench: print the report: %w", err)
	}
	return nil
}

// print prints the figures, and what was stored.
func (n *Nodes) print(w io.Writer) error {
	fmt.Fprintln(w)
	if err := printFigures(w, n.Figures); err != nil {
		return err
	}
	for i, s := range n.Stored {
		fmt.Fprintf(w, "stored, %s: %d of %d step records in %d episodes\n", [...]string{"local", "on a node", "node lost"}[i], s.Records, s.Expected, s.Episodes)
	}
	return nil
}
