package making

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sharpie/envs/python/interpreter"
	"sharpie/experiments"
)

func TestTheRequirementOfADefinition(t *testing.T) {
	mpe := []string{needPettingZoo, needMPE2}
	for name, c := range map[string]struct {
		d    experiments.Definition
		own  bool
		want interpreter.Requirement
	}{
		"a known source":                {d: experiments.Definition{Environment: experiments.Environment{Source: "pettingzoo:mpe2.simple_tag_v3"}}, want: interpreter.Requirement{Dependencies: mpe}},
		"the operator's own":            {d: experiments.Definition{Environment: experiments.Environment{Source: "pettingzoo:mpe2.simple_tag_v3"}}, own: true},
		"gymnasium":                     {d: experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:CartPole-v1"}}, want: interpreter.Requirement{Dependencies: []string{needGymnasium}}},
		"another family of PettingZoo":  {d: experiments.Definition{Environment: experiments.Environment{Source: "pettingzoo:pettingzoo.classic.tictactoe_v3"}}, want: interpreter.Requirement{Dependencies: []string{needPettingZoo, needPygame}}},
		"what it names is all it gets":  {d: experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:ALE/Pong-v5"}, Dependencies: []string{"ale-py"}}, want: interpreter.Requirement{Dependencies: []string{"ale-py"}}},
		"a version is a name too":       {d: experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:CartPole-v1"}, PythonVersion: "3.11"}, want: interpreter.Requirement{Version: "3.11"}},
		"a conda environment":           {d: experiments.Definition{CondaEnvironment: "pong"}, want: interpreter.Requirement{Conda: "pong"}},
		"an interpreter, though one is": {d: experiments.Definition{Interpreter: "/opt/x"}, own: true, want: interpreter.Requirement{Path: "/opt/x"}},
		"files":                         {d: experiments.Definition{}, want: interpreter.Requirement{Dependencies: []string{needNumPy, needFiles}}},
		"a policy of files":             {d: experiments.Definition{Environment: experiments.Environment{Source: "go:CartPole-v1"}, Policies: []experiments.Policy{{Name: "p"}}}, want: interpreter.Requirement{Dependencies: []string{needNumPy}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Requirement(&c.d, c.own)); diff != "" {
				t.Errorf("another interpreter (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPackagesThatASourceNeedsBesides(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		with   []string
		want   []string
	}{
		"none":                    {source: "gymnasium:CartPole-v1"},
		"one more":                {"gymnasium:minigrid:MiniGrid-Empty-5x5-v0", []string{"minigrid"}, []string{needGymnasium, "minigrid"}},
		"of one that is known":    {"gymnasium:LunarLander-v3", []string{"Gymnasium[box2d]==1.4.0"}, []string{"Gymnasium[box2d]==1.4.0"}},
		"of a source of no known": {"other:x", []string{"x"}, []string{"x"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, WithDependencies(c.source, c.with)); diff != "" {
				t.Errorf("other packages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryImpliedPackageIsOneThatPipTakes(t *testing.T) {
	for _, row := range implied {
		if err := (interpreter.Requirement{Dependencies: row.packages}).Check(); err != nil {
			t.Errorf("%s: %v", row.prefix, err)
		}
	}
}

func TestASpareImportsWhatFilesNameAndNothingOfTheirOwn(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"policy.py":       "import torch\nfrom scipy import stats\nimport secrets_of_mine\n    import cv2\n",
		"sub/tamer.py":    "from numpy import *\n# import pandas\n",
		"notes/README.md": "import tensorflow\n",
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := &experiments.Definition{Environment: experiments.Environment{Source: "gymnasium:CartPole-v1"}}
	want := []string{"numpy", "gymnasium", "pygame", "scipy", "torch"}
	if diff := cmp.Diff(want, modules(d, folder)); diff != "" {
		t.Errorf("other imports (-want +got):\n%s", diff)
	}
}
