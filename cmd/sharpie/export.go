package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"sharpie/persistence/export"
)

// exportCommand writes an experiment's episodes to files.
type exportCommand struct {
	storeFlags
	Experiment string `help:"Link of the experiment." required:"" placeholder:"LINK"`
	Format     string `help:"How steps are written: ${enum}." enum:"jsonl,csv" default:"jsonl"`
	Out        string `help:"Folder to write to, new or empty." type:"path" required:"" placeholder:"DIR"`
}

// Help is the longer text of `sharpie export --help`.
func (*exportCommand) Help() string {
	return `docs/DATA.md explains every field. It works while the server runs; episodes that
are still going on are written as far as they are stored.

  sharpie export --experiment mountain-car --out results
  sharpie export --experiment mountain-car --format csv --out results`
}

// Run exports, here or in the running server.
func (c *exportCommand) Run(a *app) error {
	return runTask(a, &c.storeFlags, "export", &exportTask{Experiment: c.Experiment, Format: c.Format, Out: c.Out})
}

// exportTask writes files; the folder's path is absolute.
type exportTask struct {
	Experiment string `json:"experiment"`
	Format     string `json:"format"`
	Out        string `json:"out"`
}

func (t *exportTask) do(ctx context.Context, e taskEnv) error {
	summary, err := export.Export(ctx, e.store, t.Experiment, t.Out, export.Format(t.Format))
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(summary.Rows)) {
		if _, err := fmt.Fprintf(e.out, "%9d rows  %s\n", summary.Rows[name], filepath.Join(t.Out, name)); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}
