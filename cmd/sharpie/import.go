package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sharpie/envs"
	"sharpie/envs/python/interpreter"
	"sharpie/experiments/bundle"
	"sharpie/persistence"
)

// importCommand adds experiments.
type importCommand struct {
	storeFlags
	Paths     []string `arg:"" name:"path" help:"Folders with a config.yaml, folders of such folders, YAML files, or sources such as gymnasium:CartPole-v1."`
	CheckOnly bool     `name:"check" help:"Only check: load, reset, step, render, ask and teach the policies, and report. Stores nothing."`
	Print     bool     `help:"Of a source: print the proposed YAML file instead of importing it."`
	Link      string   `help:"Of a source: the last part of the experiment's address." placeholder:"LINK"`
	Name      string   `help:"Of a source: title of the experiment." placeholder:"NAME"`
	With      []string `help:"Of sources: a Python package that they need besides those that are known, as pip takes it; may be repeated." sep:"none" placeholder:"PACKAGE"`
}

// Help is the longer text of `sharpie import --help`.
func (*importCommand) Help() string {
	return `A folder with a config.yaml is one experiment, with all its files. Of a folder of such
folders, a gallery, each is taken, and a table says which are ready, and what the others
lack. A YAML file that names Python files (filepaths) ships the folder that it is in.
A source alone makes an experiment from nothing: its keys come from the environment.

Each experiment is checked as a whole before anything is stored: its keys, that
environment, policies and keys fit together, and that some steps can be played. Python
that it needs is built first, if it is not there. An experiment with a problem is not
imported, and every problem is printed with its line. One that did not change keeps its
version. It works while the server runs; sessions go on with the version they began with.

  sharpie import my-experiment.yaml
  sharpie import path/to/gallery/frozen --check
  sharpie import path/to/gallery
  sharpie import gymnasium:CartPole-v1
  sharpie import gymnasium:minigrid:MiniGrid-Empty-5x5-v0 --with minigrid
  sharpie import pettingzoo:mpe2.simple_spread_v3 --print > spread.yaml
  sharpie import studies/ --mongo mongodb://localhost:27017/sharpie`
}

// Run reads the files here and has them imported.
func (c *importCommand) Run(a *app) error {
	items, err := findItems(c.Paths)
	if err != nil {
		return err
	}
	if err := c.name(items); err != nil {
		return err
	}
	if c.Print || c.CheckOnly {
		return c.beside(a, items)
	}
	dir, err := os.MkdirTemp("", "sharpie-import-")
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer os.RemoveAll(dir)
	for i := range items {
		if err := items[i].pack(dir); err != nil {
			return fmt.Errorf("import: %w", err)
		}
	}
	return runTask(a, &c.storeFlags, "import", &importTask{Items: items})
}

// name hands the flags that are about sources to them.
func (c *importCommand) name(items []importItem) error {
	if err := (interpreter.Requirement{Dependencies: c.With}).Check(); err != nil {
		return fmt.Errorf("--with: %w", err)
	}
	for i := range items {
		switch {
		case len(c.With) == 0:
		case items[i].Source == "" || strings.HasPrefix(items[i].Source, envs.SourcePrefix):
			return fmt.Errorf("--with goes with sources in Python, such as gymnasium:CartPole-v1; %s names its packages under dependencies", items[i].Name)
		default:
			items[i].With = c.With
		}
	}
	if c.Link == "" && c.Name == "" && !c.Print {
		return nil
	}
	if len(items) != 1 || items[0].Source == "" {
		return errors.New("--link, --name and --print go with one source, such as gymnasium:CartPole-v1")
	}
	items[0].Link, items[0].Title = c.Link, c.Name
	return nil
}

// pack writes the item's folder as an archive into dir.
func (i *importItem) pack(dir string) error {
	if i.folder == "" || i.Problem != "" {
		return nil
	}
	packed, err := bundle.Pack(i.folder)
	if err != nil {
		i.Problem = fmt.Sprintf("%s: %v", i.Name, err)
		return nil
	}
	i.Archive, i.Hash = filepath.Join(dir, packed.Hash), packed.Hash
	return os.WriteFile(i.Archive, packed.Data, 0o600)
}

// noStore has no bundles: what is only checked is never stored.
type noStore struct{ persistence.Experiments }

// Bundle implements persistence.Experiments.
func (noStore) Bundle(context.Context, string) (*persistence.Bundle, error) {
	return nil, persistence.ErrNotFound
}

// beside checks or prints, in this process, whether a server runs or not.
func (c *importCommand) beside(a *app, items []importItem) (err error) {
	w, err := a.python.openBeside(a, c.Data, noStore{})
	if err != nil {
		return err
	}
	defer func() {
		if closing := w.close(); closing != nil && err == nil {
			err = fmt.Errorf("close: %w", closing)
		}
	}()
	in := newImporter(noStore{}, w.maker, a.now)
	if c.Print {
		yaml, err := in.propose(a.ctx, items[0], func(line string) { fmt.Fprintln(a.stderr, line) })
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(yaml)
		return err
	}
	return checkItems(a.ctx, in, items, a.stdout)
}

// checkItems prints a report of each item.
func checkItems(ctx context.Context, in *importer, items []importItem, out io.Writer) error {
	failed := 0
	for i := range items {
		item := &items[i]
		fmt.Fprintln(out, item.Name)
		report, err := checkItem(ctx, in, item, out)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed++
			fmt.Fprintf(out, "%s\n  not ready\n\n", indent(err.Error()))
			continue
		}
		for _, line := range report {
			fmt.Fprintln(out, "  "+line)
		}
		fmt.Fprintf(out, "  ready\n\n")
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d experiments are not ready", failed, len(items))
	}
	return nil
}

func checkItem(ctx context.Context, in *importer, item *importItem, out io.Writer) ([]string, error) {
	if item.Problem != "" {
		return nil, errors.New(item.Problem)
	}
	p := parcel{name: item.Name, yaml: item.YAML, progress: func(line string) { fmt.Fprintln(out, "  "+line) }}
	var err error
	switch {
	case item.Source != "":
		p.yaml, err = in.propose(ctx, *item, p.progress)
	case item.folder != "":
		p.bundle, err = bundle.Pack(item.folder)
	}
	if err != nil {
		return nil, err
	}
	_, report, err := in.try(ctx, p, checkSteps)
	if err != nil {
		return nil, err
	}
	return report.Lines(), nil
}
