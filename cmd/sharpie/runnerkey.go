package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"sharpie/actors/link"
	"sharpie/persistence"
)

// runnerKeyCommand groups the commands about keys of runner nodes.
type runnerKeyCommand struct {
	Add    runnerKeyAddCommand    `cmd:"" help:"Make a key, and print it once."`
	List   runnerKeyListCommand   `cmd:"" help:"List the keys, and who used them."`
	Revoke runnerKeyRevokeCommand `cmd:"" help:"End a key: its nodes are cut within a second."`
}

// runnerKeyAddCommand makes one key.
type runnerKeyAddCommand struct {
	storeFlags
	Name  string   `arg:"" help:"What the key is for, for people: the lab, the machine."`
	Label []string `help:"What every node of this key offers to experiments that ask for it (gpu, robot)." placeholder:"LABEL"`
}

// Help is the longer text of `sharpie runner-key add --help`.
func (*runnerKeyAddCommand) Help() string {
	return `The key is shown this once; only its hash is kept. It works while the server runs.

  sharpie runner-key add "GPU box"
  sharpie runner-key add robots --label robot

On the other machine:

  sharpie runner --join https://lab.example --key shk_…`
}

// Run makes the key here, so that a running server never sees it.
func (c *runnerKeyAddCommand) Run(a *app) error {
	name := strings.TrimSpace(c.Name)
	if p := link.CheckKeyName(name); p != "" {
		return fmt.Errorf("NAME: %s", p)
	}
	if p := link.CheckLabels(c.Label); p != "" {
		return fmt.Errorf("--label: %s", p)
	}
	key, record := link.MakeKey(persistence.NewID("rk"), name, c.Label, "command line", a.now())
	if err := c.mustExist(); err != nil {
		return err
	}
	t := &runnerKeyAddTask{Key: *record}
	if err := runTask(a, &c.storeFlags, "runner-key add", t); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "\n  %s\n\nIt is not shown again. On the other machine, with the key in a file that only you can read:\n\n  sharpie runner --join URL-OF-THIS-SERVER --key-file runner.key\n\nor, where nobody else works:\n\n  sharpie runner --join URL-OF-THIS-SERVER --key %s\n", key, key)
	return err
}

// runnerKeyAddTask keeps a key that is hashed already.
type runnerKeyAddTask struct {
	Key persistence.RunnerKey `json:"key"`
}

func (t *runnerKeyAddTask) do(ctx context.Context, e taskEnv) error {
	if err := e.store.InsertRunnerKey(ctx, &t.Key); err != nil {
		return fmt.Errorf("add runner key %s: %w", t.Key.Name, err)
	}
	fmt.Fprintf(e.out, "The runner key %q (%s) was made:\n", t.Key.Name, t.Key.Prefix)
	return keyEvent(ctx, e, "runner_key.add", &t.Key)
}

// keyEvent notes what was done with a key.
func keyEvent(ctx context.Context, e taskEnv, kind string, k *persistence.RunnerKey) error {
	return e.store.InsertEvents(ctx, []*persistence.Event{{
		ID: persistence.NewID("ev"), At: e.now().UTC(), Kind: kind, Actor: "command line",
		Detail: persistence.Document{"key": k.ID, "name": k.Name, "prefix": k.Prefix},
	}})
}

// runnerKeyListCommand lists the keys.
type runnerKeyListCommand struct{ storeFlags }

// Run lists them.
func (c *runnerKeyListCommand) Run(a *app) error {
	if err := c.mustExist(); err != nil {
		return err
	}
	return runTask(a, &c.storeFlags, "runner-key list", &runnerKeyListTask{})
}

// runnerKeyListTask prints the keys, without what is secret.
type runnerKeyListTask struct{}

func (t *runnerKeyListTask) do(ctx context.Context, e taskEnv) error {
	keys, err := e.store.RunnerKeys(ctx)
	if err != nil {
		return fmt.Errorf("list runner keys: %w", err)
	}
	if len(keys) == 0 {
		_, err := fmt.Fprintln(e.out, "There are no runner keys. Make one with: sharpie runner-key add NAME")
		return err
	}
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tNAME\tLABELS\tMADE\tLAST USED\tLAST NODE\tSTATE")
	for _, k := range keys {
		used, node, state := "never", "-", "good"
		if k.LastUsedAt != nil {
			used, node = k.LastUsedAt.Format(time.DateTime), k.LastNode
		}
		if k.RevokedAt != nil {
			state = "revoked " + k.RevokedAt.Format(time.DateTime)
		}
		labels := strings.Join(k.Labels, ",")
		if labels == "" {
			labels = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Prefix, k.Name, labels, k.CreatedAt.Format(time.DateTime), used, node, state)
	}
	return w.Flush()
}

// runnerKeyRevokeCommand ends a key.
type runnerKeyRevokeCommand struct {
	storeFlags
	Key string `arg:"" help:"The key as the list shows it, its id, or its name where only one has it."`
}

// Run ends it.
func (c *runnerKeyRevokeCommand) Run(a *app) error {
	if err := c.mustExist(); err != nil {
		return err
	}
	return runTask(a, &c.storeFlags, "runner-key revoke", &runnerKeyRevokeTask{Key: c.Key})
}

// runnerKeyRevokeTask ends a key.
type runnerKeyRevokeTask struct {
	Key string `json:"key"`
}

func (t *runnerKeyRevokeTask) do(ctx context.Context, e taskEnv) error {
	keys, err := e.store.RunnerKeys(ctx)
	if err != nil {
		return fmt.Errorf("revoke a runner key: %w", err)
	}
	named := 0
	for _, k := range keys {
		if k.Name == t.Key && k.RevokedAt == nil {
			named++
		}
	}
	for _, k := range keys {
		if k.ID != t.Key && k.Prefix != t.Key && (k.Name != t.Key || k.RevokedAt != nil || named != 1) {
			continue
		}
		if k.RevokedAt != nil {
			_, err := fmt.Fprintf(e.out, "The runner key %q (%s) was revoked before.\n", k.Name, k.Prefix)
			return err
		}
		if err := e.store.RevokeRunnerKey(ctx, k.ID, e.now().UTC()); err != nil {
			return fmt.Errorf("revoke the runner key %s: %w", k.Prefix, err)
		}
		fmt.Fprintf(e.out, "The runner key %q (%s) is revoked; its nodes are cut.\n", k.Name, k.Prefix)
		return keyEvent(ctx, e, "runner_key.revoke", k)
	}
	if named > 1 {
		return fmt.Errorf("%d keys have the name %q: give the one that you mean as the list shows it; see: sharpie runner-key list", named, t.Key)
	}
	return errors.New("there is no such key; see: sharpie runner-key list")
}
