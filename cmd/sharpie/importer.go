package main

import (
	"context"
	"time"

	agentsbuiltin "sharpie/agents/builtin"
	envsbuiltin "sharpie/envs/builtin"
	"sharpie/experiments"
	"sharpie/persistence"
)

// importer takes experiment files, from the command line and from Admin: parsed,
// compared with environments and policies, stored where something changed.
type importer struct {
	store persistence.Experiments
	maker experiments.Maker
	now   func() time.Time
}

func newImporter(store persistence.Experiments, now func() time.Time) *importer {
	return &importer{store: store, maker: experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()}, now: now}
}

// Check says what is wrong with a file, one line per problem; it stores nothing.
func (i *importer) Check(file string, yaml []byte) error {
	_, err := experiments.CheckSource(experiments.Source{Name: file, YAML: yaml}, i.maker)
	return err
}

// Import checks a file and stores a new version where something changed; it
// returns the version in force and whether it is new.
func (i *importer) Import(ctx context.Context, file string, yaml []byte, by string) (*persistence.Experiment, bool, error) {
	if err := i.Check(file, yaml); err != nil {
		return nil, false, err
	}
	return experiments.Import(ctx, i.store, experiments.Source{Name: file, YAML: yaml}, by, i.now().UTC())
}
