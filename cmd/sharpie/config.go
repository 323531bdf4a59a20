package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"
)

// configFile resolves settings from a YAML file: one flat mapping from flag
// names to values. It gives way to the command line and to the environment.
type configFile struct {
	path   string
	values map[string]string
}

// loadConfigFile reads the file named by --config or SHARPIE_CONFIG, if any, and
// adds it to what flags are resolved from.
func loadConfigFile(k *kong.Kong, ctx *kong.Context) error {
	flag := flagNamed(k.Model.Node, "config")
	path, _ := ctx.FlagValue(flag).(string)
	if path == "" {
		return nil
	}
	file, err := readConfigFile(path)
	if err != nil {
		return err
	}
	if err := file.Validate(k.Model); err != nil {
		return err
	}
	ctx.AddResolver(file)
	return nil
}

func readConfigFile(path string) (*configFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	var raw map[string]any
	if err := yaml.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("--config %s: want lines like \"addr: :8080\": %w", path, err)
	}
	file := &configFile{path: path, values: make(map[string]string, len(raw))}
	var errs []error
	for key, value := range raw {
		text, err := settingText(value)
		if err != nil {
			errs = append(errs, fmt.Errorf("--config %s: %s: %w", path, key, err))
			continue
		}
		file.values[key] = text
	}
	return file, errors.Join(errs...)
}

// settingText is a value as it would be typed after the flag.
func settingText(value any) (string, error) {
	switch v := value.(type) {
	case string, bool, int, int64, uint64, float64:
		return fmt.Sprint(v), nil
	case []any:
		items := make([]string, len(v))
		for i := range v {
			text, err := settingText(v[i])
			if err != nil {
				return "", err
			}
			items[i] = text
		}
		return strings.Join(items, ","), nil
	case nil:
		return "", errors.New("has no value")
	default:
		return "", errors.New("want a text, a number, true or false, or a list of them")
	}
}

// Validate refuses keys that are no setting, and names the ones that are.
func (f *configFile) Validate(app *kong.Application) error {
	known := settings(app.Node)
	var errs []error
	for key := range f.values {
		if !slices.Contains(known, key) {
			errs = append(errs, fmt.Errorf("--config %s: unknown setting %q; known are %s", f.path, key, strings.Join(known, ", ")))
		}
	}
	return errors.Join(errs...)
}

// Resolve gives the file's value of a flag that neither the command line nor the
// environment set.
func (f *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := f.values[flag.Name]
	if !ok || flag.Name == "config" {
		return nil, nil
	}
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	return value, nil
}

// settings lists the flags of a command and those below it that may stand in the
// file: the ones that have an environment variable too. Sorted, once each.
func settings(node *kong.Node) []string {
	var names []string
	for _, flag := range node.Flags {
		if len(flag.Envs) > 0 && flag.Name != "config" {
			names = append(names, flag.Name)
		}
	}
	for _, child := range node.Children {
		names = append(names, settings(child)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func flagNamed(node *kong.Node, name string) *kong.Flag {
	for _, flag := range node.Flags {
		if flag.Name == name {
			return flag
		}
	}
	return nil
}
