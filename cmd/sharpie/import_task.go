package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"sharpie/experiments/bundle"
	"sharpie/experiments/making"
)

// importTask imports experiments one by one.
type importTask struct {
	Items []importItem `json:"items"`
}

func (t *importTask) do(ctx context.Context, e taskEnv) error {
	if e.maker == nil {
		e.maker = making.New(making.Config{Registries: registries()})
	}
	in := newImporter(e.store, e.maker, e.now)
	var rows, problems, proposed []string
	for i := range t.Items {
		item := &t.Items[i]
		row, filled, err := item.take(ctx, in, e.out)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			problems = append(problems, err.Error())
			row = "-\t-\t" + item.lacking(err)
		}
		rows = append(rows, display(item.Name)+"\t"+row)
		for _, p := range filled {
			proposed = append(proposed, display(item.Name)+": filled in: "+p)
		}
	}
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FOLDER OR FILE\tLINK\tVERSION\tRESULT")
	for _, row := range rows {
		fmt.Fprintln(table, row)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if len(proposed) > 0 {
		fmt.Fprintf(e.out, "\n%s\n", strings.Join(proposed, "\n"))
	}
	if len(problems) > 0 {
		fmt.Fprintf(e.out, "\n%s\n\n", strings.Join(problems, "\n"))
		return fmt.Errorf("%d of %d experiments were not imported", len(problems), len(t.Items))
	}
	return nil
}

// display is the name for the table: the folder where it is a config.yaml.
func display(name string) string {
	if base := filepath.Base(name); base == "config.yaml" || base == "config.yml" {
		return filepath.Base(filepath.Dir(name))
	}
	return name
}

// take imports one item, and returns its row of the table after the name, and what
// was filled in.
func (i *importItem) take(ctx context.Context, in *importer, out io.Writer) (row string, proposed []string, err error) {
	if i.Problem != "" {
		return "", nil, errors.New(i.Problem)
	}
	p := parcel{name: i.Name, yaml: i.YAML, by: "command line", progress: func(line string) {
		fmt.Fprintf(out, "%s: %s\n", display(i.Name), line)
		if b, ok := out.(interface{ Flush() error }); ok {
			_ = b.Flush() // whoever went away is noticed by the context
		}
	}}
	if i.Source != "" {
		if p.yaml, err = in.propose(ctx, *i, p.progress); err != nil {
			return "", nil, err
		}
	}
	if i.Archive != "" {
		if p.bundle, err = readArchive(i.Archive, i.Hash); err != nil {
			return "", nil, fmt.Errorf("%s: %w", i.Name, err)
		}
	}
	stored, fresh, report, err := in.take(ctx, p)
	if err != nil {
		return "", nil, err
	}
	result := "ready, unchanged"
	switch {
	case fresh && stored.Version == 1:
		result = "ready, new"
	case fresh:
		result = "ready, new version"
	}
	return fmt.Sprintf("%s\t%d\t%s", stored.Link, stored.Version, result), report.Proposed, nil
}

// readArchive reads what pack wrote; the hash is compared where it is unpacked.
func readArchive(path, hash string) (bundle.Packed, error) {
	info, err := os.Stat(path)
	if err != nil {
		return bundle.Packed{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > bundle.MaxSize*2 {
		return bundle.Packed{}, fmt.Errorf("%s is no archive", path)
	}
	data, err := os.ReadFile(path)
	return bundle.Packed{Hash: hash, Data: data}, err
}

// indent sets a text in, line by line.
func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
