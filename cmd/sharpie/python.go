package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"go.yaml.in/yaml/v4"

	"sharpie/envs/python/interpreter"
)

// pythonCommand groups the commands about the Pythons that experiments run on.
type pythonCommand struct {
	List   pythonListCommand   `cmd:"" help:"List the Pythons that were built, and the default one."`
	Build  pythonBuildCommand  `cmd:"" help:"Build the Python that an experiment needs, ahead of its first episode."`
	Remove pythonRemoveCommand `cmd:"" help:"Remove a Python that was built."`
}

// builtFlags say where built Pythons are.
type builtFlags struct {
	Data string `help:"Folder of the server's data; built Pythons are in python/ below it." type:"path" default:"data" placeholder:"data" env:"SHARPIE_DATA"`
}

func (f *builtFlags) builder(a *app) *interpreter.Builder { return a.python.builder(a, f.Data, 0) }

// pythonListCommand prints what there is.
type pythonListCommand struct {
	builtFlags
}

// Run prints a table.
func (c *pythonListCommand) Run(a *app) error {
	b := c.builder(a)
	if in, err := b.Find(a.ctx, interpreter.Requirement{}); err != nil {
		fmt.Fprintf(a.stdout, "default: none, %v\n\n", err)
	} else {
		fmt.Fprintf(a.stdout, "default: Python %s, %s\n\n", in.Version, in.Path)
	}
	built, err := b.List(a.ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "HASH\tPYTHON\tSIZE\tBUILT\tFOR")
	for _, one := range built {
		if one.At.IsZero() {
			fmt.Fprintf(table, "%s\t-\t-\t-\t%s\n", one.Hash, one.Problem)
			continue
		}
		what := one.Requirement.String()
		if one.Problem != "" {
			what += " (broken: " + one.Problem + ")"
		}
		fmt.Fprintf(table, "%s\t%s\t%d MB\t%s\t%s\n", one.Hash, one.Version, one.Bytes/1_000_000, one.At.Local().Format(time.DateTime), what)
	}
	if len(built) == 0 {
		fmt.Fprintln(table, "none was built")
	}
	return table.Flush()
}

// pythonBuildCommand builds.
type pythonBuildCommand struct {
	builtFlags
	What    []string      `arg:"" optional:"" name:"what" help:"Experiment files or folders (what they need is read from them), or requirements as pip takes them."`
	Version string        `help:"Python version." placeholder:"3.11"`
	With    []string      `help:"A requirement as pip takes it; may be repeated." sep:"none" placeholder:"PACKAGE"`
	Timeout time.Duration `help:"How long one build may take." default:"30m"`
}

// Help is the longer text of `sharpie python build --help`.
func (*pythonBuildCommand) Help() string {
	return `What was built is kept in the data folder and found there by every experiment that
needs the same. uv is used where it is installed, else venv and pip, with the
settings of your pip: its index, proxy and certificates.

  sharpie python build path/to/gallery/frozen
  sharpie python build --version 3.11 --with 'gymnasium[classic-control]' --with numpy`
}

// Run builds one after the other; what went wrong is told at the end.
func (c *pythonBuildCommand) Run(a *app) error {
	requirements, err := c.requirements()
	if err != nil {
		return err
	}
	if c.Timeout <= 0 || c.Timeout > 24*time.Hour {
		return fmt.Errorf("--timeout %s: allowed is up to 24h", c.Timeout)
	}
	b := a.python.builder(a, c.Data, c.Timeout)
	if err := (&storeFlags{Data: c.Data}).makeData(); err != nil {
		return err
	}
	var errs []error
	for _, r := range requirements {
		in, err := b.Build(a.ctx, r, func(line string) { fmt.Fprintln(a.stdout, "  "+line) })
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintf(a.stdout, "%s: Python %s, %s\n", in.Name, in.Version, in.Path)
	}
	return errors.Join(errs...)
}

// requirements are what the arguments ask for: one of each file, and one of all
// requirements and flags together.
func (c *pythonBuildCommand) requirements() ([]interpreter.Requirement, error) {
	var all []interpreter.Requirement
	own := interpreter.Requirement{Version: c.Version, Dependencies: c.With}
	for _, what := range c.What {
		info, err := os.Stat(what)
		named := strings.HasSuffix(what, ".yaml") || strings.HasSuffix(what, ".yml")
		if !named && (err != nil || !info.IsDir()) {
			own.Dependencies = append(own.Dependencies, what)
			continue
		}
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			what = configOf(what)
		}
		r, err := readRequirement(what)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		all = append(all, r)
	}
	if own.Version != "" || len(own.Dependencies) > 0 {
		all = append(all, own)
	}
	if len(all) == 0 {
		return nil, errors.New("nothing to build: name an experiment's file or folder, or give --version or --with")
	}
	for _, r := range all {
		if err := r.Check(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// configOf is the file of a gallery's folder that describes the experiment.
func configOf(folder string) string {
	for _, name := range []string{"config.yaml", "config.yml"} {
		if path := filepath.Join(folder, name); fileExists(path) {
			return path
		}
	}
	return filepath.Join(folder, "config.yaml")
}

func fileExists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// readRequirement reads the four keys of an experiment file that are about Python;
// the other keys are `sharpie import`'s.
func readRequirement(path string) (interpreter.Requirement, error) {
	var r interpreter.Requirement
	info, err := os.Stat(path)
	if err != nil {
		return r, err
	}
	if info.Size() > importSize {
		return r, fmt.Errorf("it has %d bytes; allowed are %d", info.Size(), importSize)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	var file struct {
		Version      any   `yaml:"python_version"`
		Conda        any   `yaml:"conda_environment"`
		Interpreter  any   `yaml:"interpreter"`
		Dependencies []any `yaml:"dependencies"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return r, fmt.Errorf("want an experiment's YAML: %w", err)
	}
	text := func(key string, value any) string {
		if value == nil {
			return ""
		}
		s, ok := value.(string)
		if !ok && err == nil {
			err = fmt.Errorf(`%s: want a text in quotes, such as "3.10", got %v`, key, value)
		}
		return s
	}
	r.Version, r.Conda, r.Path = text("python_version", file.Version), text("conda_environment", file.Conda), text("interpreter", file.Interpreter)
	for i, d := range file.Dependencies {
		r.Dependencies = append(r.Dependencies, text(fmt.Sprintf("dependencies[%d]", i), d))
	}
	return r, err
}

// pythonRemoveCommand removes.
type pythonRemoveCommand struct {
	builtFlags
	Hashes []string `arg:"" name:"hash" help:"As sharpie python list prints them; the beginning is enough."`
}

// Run removes one after the other.
func (c *pythonRemoveCommand) Run(a *app) error {
	b := c.builder(a)
	for _, hash := range c.Hashes {
		if err := b.Remove(a.ctx, hash); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%s was removed.\n", hash)
	}
	return nil
}
