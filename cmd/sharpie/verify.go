package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"sharpie/persistence"
)

// verifyCommand proves episodes.
type verifyCommand struct {
	storeFlags
	Episodes   []string `arg:"" optional:"" name:"episode" help:"Ids of episodes (ep_…), from Admin or an export."`
	Experiment string   `help:"All episodes of the experiment with this link." placeholder:"LINK"`
}

// Help is the longer text of `sharpie verify --help`.
func (*verifyCommand) Help() string {
	return `An episode is whole if its steps are stored without a gap. It is reproduced if its
environment, reset with the stored seed and given the stored final actions, shows
observations with the stored hashes at every step. Where that cannot be asked of an
environment, the reason is printed; such an episode does not count as a failure.

  sharpie verify ep_067v0c3hk7rq2b8n
  sharpie verify --experiment mountain-car`
}

// Validate wants something to verify.
func (c *verifyCommand) Validate() error {
	if len(c.Episodes) == 0 && c.Experiment == "" {
		return errors.New("name episodes, or --experiment LINK")
	}
	return c.storeFlags.Validate()
}

// Run verifies, here or in the running server.
func (c *verifyCommand) Run(a *app) error {
	return runTask(a, &c.storeFlags, "verify", &verifyTask{Episodes: c.Episodes, Experiment: c.Experiment})
}

// verifyTask verifies episodes one by one and prints a line for each.
type verifyTask struct {
	Episodes   []string `json:"episodes"`
	Experiment string   `json:"experiment"`
}

// verdict is what is known of one episode after verifying it.
type verdict struct {
	steps      int64 // step records, with step 0
	gap        error // nil: whole
	unplayable error // why replaying proves nothing here; nil where it was done
	mismatch   error // nil: reproduced
}

func (v verdict) failed() bool { return v.gap != nil || v.mismatch != nil }

func (t *verifyTask) do(ctx context.Context, e taskEnv) error {
	v := &verifier{store: e.store, maker: e.maker}
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EPISODE\tSTATUS\tRECORDS\tWHOLE\tREPRODUCED")
	var notes []string
	total, failed := 0, 0
	one := func(episode *persistence.Episode) error {
		found, err := v.verify(ctx, episode)
		if err != nil {
			return fmt.Errorf("verify %s: %w", episode.ID, err)
		}
		total++
		whole, reproduced := "yes", "yes"
		for _, n := range []struct {
			err  error
			cell *string
			word string
		}{{found.gap, &whole, "NO"}, {found.unplayable, &reproduced, "-"}, {found.mismatch, &reproduced, "NO"}} {
			if n.err != nil {
				*n.cell = n.word
				notes = append(notes, fmt.Sprintf("%s: %v", episode.ID, n.err))
			}
		}
		if found.failed() {
			failed++
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", episode.ID, episode.Status, found.steps, whole, reproduced)
		return nil
	}
	if err := t.each(ctx, e.store, one); err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if len(notes) > 0 {
		fmt.Fprintf(e.out, "\n%s\n", strings.Join(notes, "\n"))
	}
	if total == 0 {
		return fmt.Errorf("no episode of %q is stored", t.Experiment)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d episodes failed", failed, total)
	}
	return nil
}

// each calls visit for the named episodes and those of the experiment.
func (t *verifyTask) each(ctx context.Context, store persistence.Store, visit func(*persistence.Episode) error) error {
	for _, id := range t.Episodes {
		episode, err := store.Episode(ctx, persistence.EpisodeID(id))
		if errors.Is(err, persistence.ErrNotFound) {
			return fmt.Errorf("no episode %q is stored", id)
		}
		if err != nil {
			return fmt.Errorf("episode %s: %w", id, err)
		}
		if err := visit(episode); err != nil {
			return err
		}
	}
	if t.Experiment == "" {
		return nil
	}
	for episode, err := range store.EpisodesOfExperiment(ctx, t.Experiment) {
		if err != nil {
			return fmt.Errorf("episodes of %s: %w", t.Experiment, err)
		}
		if err := visit(episode); err != nil {
			return err
		}
	}
	return nil
}

// storedHash is the observation hash of a chunk's i-th record.
func storedHash(c *persistence.StepChunk, i int) uint64 {
	return binary.LittleEndian.Uint64(c.Hashes[8*i:])
}
