package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed templates
var templates embed.FS

// newCommand writes the beginning of an experiment in Python.
type newCommand struct {
	What string `arg:"" enum:"env,policy" help:"env: an environment that a person plays. policy: the same, and a policy that learns from a person."`
	Name string `arg:"" help:"Name of the folder and of the experiment: letters, digits, - and _."`
	In   string `help:"Folder to make it in." type:"path" default:"." placeholder:"DIR"`
}

// Help is the longer text of `sharpie new --help`.
func (*newCommand) Help() string {
	return `It makes a folder with a commented config.yaml and Python files that work as they are:

  sharpie new env my-grid
  sharpie import my-grid --check
  sharpie import my-grid

Nothing that exists is written over.`
}

var goodNewName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Validate refuses names that are no folder and no address.
func (c *newCommand) Validate() error {
	if !goodNewName.MatchString(c.Name) {
		return fmt.Errorf("%q is no name: want letters, digits, \"-\" and \"_\", at most 64, beginning with a letter or digit", c.Name)
	}
	return nil
}

// Run writes the folder.
func (c *newCommand) Run(a *app) error {
	dir := filepath.Join(c.In, c.Name)
	files := map[string]string{"config.yaml": c.What + "/config.yaml", "environment.py": "environment.py"}
	names := []string{"config.yaml", "environment.py"}
	if c.What == "policy" {
		files["policy.py"], names = "policy.py", append(names, "policy.py")
	}
	if err := os.MkdirAll(c.In, 0o755); err != nil {
		return fmt.Errorf("new %s: %w", c.What, err)
	}
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already; choose another name, or another folder with --in", dir)
	} else if err != nil {
		return fmt.Errorf("new %s: %w", c.What, err)
	}
	for _, name := range names {
		text, err := templates.ReadFile("templates/" + files[name])
		if err != nil {
			return fmt.Errorf("new %s: %w", c.What, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), c.fill(text), 0o644); err != nil {
			return fmt.Errorf("new %s: %w", c.What, err)
		}
		fmt.Fprintln(a.stdout, filepath.Join(dir, name))
	}
	fmt.Fprintf(a.stdout, "\nLook whether it works:  sharpie import %[1]s --check\nMake it playable:       sharpie import %[1]s\n", dir)
	return nil
}

// fill puts the name into a template.
func (c *newCommand) fill(text []byte) []byte {
	dir := c.Name
	if c.In != "." {
		dir = filepath.Join(c.In, c.Name)
	}
	return []byte(strings.NewReplacer("LINK", strings.ToLower(c.Name), "NAME", c.Name, "FOLDER", dir).Replace(string(text)))
}
