package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"sharpie/experiments/making"
	"sharpie/persistence"
	"sharpie/persistence/embedded"
)

// task is the part of a command that needs the store. It is plain data, so that
// a running server can do it in the command's place: the embedded store belongs
// to one process at a time, and a researcher exports while people play.
type task interface {
	do(ctx context.Context, e taskEnv) error
}

// taskEnv is what a task works with, in whichever process.
type taskEnv struct {
	store persistence.Store
	// maker makes environments and policies; nil for a task that makes none.
	maker   *making.Maker
	out     io.Writer
	now     func() time.Time
	version string
}

// newTask makes an empty task of that name, to be filled from JSON; nil where
// there is none.
func newTask(name string) task {
	switch name {
	case "import":
		return &importTask{}
	case "export":
		return &exportTask{}
	case "verify":
		return &verifyTask{}
	case "user add":
		return &userAddTask{}
	case "runner-key add":
		return &runnerKeyAddTask{}
	case "runner-key list":
		return &runnerKeyListTask{}
	case "runner-key revoke":
		return &runnerKeyRevokeTask{}
	default:
		return nil
	}
}

// runTask does the task here, or, where a running server holds the embedded
// store, asks that server to.
func runTask(a *app, f *storeFlags, name string, t task) error {
	store, err := f.open(a)
	if errors.Is(err, embedded.ErrLocked) {
		args, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("describe %s to the running server: %w", name, err)
		}
		return askServer(a, controlPath(f.Data), controlRequest{Task: name, Args: args})
	}
	if err != nil {
		return err
	}
	err = doTask(a, f, store, t)
	if closing := store.Close(); closing != nil && err == nil {
		err = fmt.Errorf("close the store: %w", closing)
	}
	return err
}

// doTask does the task in this process, with a workshop of its own where it needs one.
func doTask(a *app, f *storeFlags, store persistence.Store, t task) error {
	env := taskEnv{store: store, out: a.stdout, now: a.now, version: a.version}
	switch t.(type) {
	case *importTask, *verifyTask:
	default:
		return t.do(a.ctx, env)
	}
	w, err := a.python.openBeside(a, f.Data, store)
	if err != nil {
		return err
	}
	env.maker = w.maker
	err = t.do(a.ctx, env)
	if closing := w.close(); closing != nil && err == nil {
		err = fmt.Errorf("close: %w", closing)
	}
	return err
}
