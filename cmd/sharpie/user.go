package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"sharpie/http"
	"sharpie/persistence"
)

// userCommand groups the commands about logins.
type userCommand struct {
	Add userAddCommand `cmd:"" help:"Add a login."`
}

// userAddCommand adds one login.
type userAddCommand struct {
	storeFlags
	Name          string `arg:"" help:"The name to log in with."`
	Admin         bool   `help:"May use the Admin pages."`
	PasswordStdin bool   `help:"Read the password from the first line of standard input instead of asking."`
}

// Help is the longer text of `sharpie user add --help`.
func (*userAddCommand) Help() string {
	return `The password is asked for twice, and not shown. It works while the server runs.

  sharpie user add maria --admin
  pass show sharpie/maria | sharpie user add maria --password-stdin`
}

// Run asks for the password and adds the login.
func (c *userAddCommand) Run(a *app) error {
	if problem := http.CheckName(c.Name); problem != "" {
		return fmt.Errorf("name %q: %s", c.Name, problem)
	}
	password, err := c.password(a)
	if err != nil {
		return err
	}
	hash, err := http.HashPassword(a.ctx, password)
	if err != nil {
		return fmt.Errorf("password: %w", err)
	}
	return runTask(a, &c.storeFlags, "user add", &userAddTask{Name: c.Name, Admin: c.Admin, PasswordHash: hash})
}

func (c *userAddCommand) password(a *app) (string, error) {
	file, isFile := a.stdin.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd()))
	if c.PasswordStdin || !terminal {
		if !c.PasswordStdin {
			return "", errors.New("there is no terminal to ask for the password on; give it with --password-stdin")
		}
		line, err := bufio.NewReader(io.LimitReader(a.stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(a.stderr, prompt)
		secret, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(a.stderr)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return string(secret), nil
	}
	first, err := ask("Password for " + c.Name + ": ")
	if err != nil {
		return "", err
	}
	second, err := ask("Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ; nothing was added")
	}
	return first, nil
}

// userAddTask adds a login whose password is hashed already.
type userAddTask struct {
	Name         string `json:"name"`
	Admin        bool   `json:"admin"`
	PasswordHash string `json:"password_hash"`
}

func (t *userAddTask) do(ctx context.Context, e taskEnv) error {
	now := e.now().UTC()
	user := &persistence.User{
		ID: persistence.UserID(persistence.NewID("u")), Name: t.Name, NameKey: strings.ToLower(t.Name),
		PasswordHash: t.PasswordHash, Admin: t.Admin, CreatedAt: now,
	}
	err := e.store.InsertUser(ctx, user)
	if errors.Is(err, persistence.ErrConflict) {
		return fmt.Errorf("the name %q is taken", t.Name)
	}
	if err != nil {
		return fmt.Errorf("add %s: %w", t.Name, err)
	}
	kind := "participant"
	if t.Admin {
		kind = "administrator"
	}
	fmt.Fprintf(e.out, "%s was added as %s.\n", t.Name, kind)
	return e.store.InsertEvents(ctx, []*persistence.Event{{
		ID: persistence.NewID("ev"), At: now, Kind: "user.add", Actor: "command line",
		Detail: persistence.Document{"name": t.Name, "admin": t.Admin},
	}})
}
