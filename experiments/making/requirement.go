package making

import (
	"strings"

	"sharpie/envs"
	"sharpie/envs/python/interpreter"
	"sharpie/experiments"
)

// The sources of environments in Python that need no file.
const (
	gymnasiumPrefix  = "gymnasium:"
	pettingzooPrefix = "pettingzoo:"
)

// What the environments of a source need, with the versions that the tests run
// with up to the next one that may break them.
const (
	needGymnasium = "gymnasium[classic-control,toy-text]>=1.4,<2"
	// Files count on these without naming them.
	needNumPy      = "numpy>=1.22,<3"
	needFiles      = "gymnasium>=1,<2"
	needBox2D      = "gymnasium[box2d]>=1.4,<2"
	needMuJoCo     = "gymnasium[mujoco]>=1.4,<2"
	needAtari      = "gymnasium[atari]>=1.4,<2"
	needPettingZoo = "pettingzoo>=1.27,<2"
	needMPE2       = "mpe2>=1.1,<2"
	needPygame     = "pygame-ce>=2.5,<3"
)

// implied is the table of what a source needs, by its beginning; the longest one
// that fits counts. What is not here is for the definition's dependencies: the
// worker's error names the package that is missing.
var implied = []struct {
	prefix   string
	packages []string
	modules  []string
}{
	{gymnasiumPrefix, []string{needGymnasium}, []string{"numpy", "gymnasium", "pygame"}},
	{gymnasiumPrefix + "LunarLander", []string{needBox2D}, []string{"numpy", "gymnasium", "pygame"}},
	{gymnasiumPrefix + "BipedalWalker", []string{needBox2D}, []string{"numpy", "gymnasium", "pygame"}},
	{gymnasiumPrefix + "CarRacing", []string{needBox2D}, []string{"numpy", "gymnasium", "pygame"}},
	{gymnasiumPrefix + "Ant-", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "HalfCheetah-", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "Hopper-", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "Humanoid", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "Inverted", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "Pusher-", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "Reacher-", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "Swimmer-", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "Walker2d-", []string{needMuJoCo}, []string{"numpy", "gymnasium"}},
	{gymnasiumPrefix + "ALE/", []string{needAtari}, []string{"numpy", "gymnasium"}},
	{pettingzooPrefix, []string{needPettingZoo, needPygame}, []string{"numpy", "gymnasium", "pettingzoo", "pygame"}},
	{pettingzooPrefix + "mpe2.", []string{needPettingZoo, needMPE2}, []string{"numpy", "gymnasium", "pettingzoo", "pygame", "mpe2"}},
}

// Python reports whether anything of the definition is written in Python.
func Python(d *experiments.Definition) bool {
	if pythonEnvironment(d) {
		return true
	}
	for i := range d.Policies {
		if d.Policies[i].Source == "" {
			return true
		}
	}
	return false
}

func pythonEnvironment(d *experiments.Definition) bool {
	return !strings.HasPrefix(d.Environment.Source, envs.SourcePrefix)
}

// Requirement is the interpreter that a definition needs. own says that the operator
// named the interpreter of definitions that name none: it is taken as it is.
func Requirement(d *experiments.Definition, own bool) interpreter.Requirement {
	r := interpreter.Requirement{
		Path: d.Interpreter, Conda: d.CondaEnvironment, Version: d.PythonVersion, Dependencies: d.Dependencies,
	}
	if own || r.Path != "" || r.Conda != "" || r.Version != "" || len(r.Dependencies) > 0 {
		return r
	}
	r.Dependencies, _ = needs(d.Environment.Source)
	if len(r.Dependencies) == 0 && Python(d) {
		r.Dependencies = []string{needNumPy}
		if pythonEnvironment(d) {
			r.Dependencies = append(r.Dependencies, needFiles)
		}
	}
	return r
}

// WithDependencies lists the packages of an experiment with a source, where with is
// needed besides what the source is known to need. Of a package that both name, with
// counts. It is nil where with is empty.
func WithDependencies(source string, with []string) []string {
	if len(with) == 0 {
		return nil
	}
	known, _ := needs(source)
	named := map[string]bool{}
	for _, w := range with {
		named[interpreter.Package(w)] = true
	}
	var out []string
	for _, k := range known {
		if !named[interpreter.Package(k)] {
			out = append(out, k)
		}
	}
	return append(out, with...)
}

// needs returns the packages and the modules of a source; nil where nothing is known.
func needs(source string) (packages, modules []string) {
	longest := 0
	for _, row := range implied {
		if strings.HasPrefix(source, row.prefix) && len(row.prefix) > longest {
			longest, packages, modules = len(row.prefix), row.packages, row.modules
		}
	}
	return packages, modules
}
