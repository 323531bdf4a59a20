package runner

import (
	"testing"

	"sharpie/actors/messages"
	"sharpie/envs"
	"sharpie/experiments"
)

func TestDecide(t *testing.T) {
	space := envs.Discrete{N: 3}
	role := func(rest any) *rolePlan {
		m, err := newKeymap(&experiments.Agent{KeyboardInputs: experiments.KeyMap{Default: rest, Bindings: []experiments.KeyBinding{
			{Key: "L", Value: int64(0)}, {Key: "R", Value: int64(2)}, {Key: "X", Value: int64(9)}, {Key: "T", Value: "text"},
		}}}, space)
		if err != nil {
			t.Fatal(err)
		}
		return &rolePlan{spec: envs.RoleSpec{Action: space}, keys: m, neutral: neutral(space, nil)}
	}
	const (
		human    = messages.Source_SOURCE_HUMAN
		policy   = messages.Source_SOURCE_POLICY
		standard = messages.Source_SOURCE_DEFAULT
		fallback = messages.Source_SOURCE_FALLBACK
	)
	for name, c := range map[string]struct {
		rest   any
		key    string // "": no human
		policy envs.Value
		mask   []bool
		want   envs.Int
		source messages.Source
	}{
		"human":                                   {rest: int64(1), key: "R", want: 2, source: human},
		"human over policy":                       {rest: int64(1), key: "R", policy: envs.Int(0), want: 2, source: human},
		"idle human, policy":                      {rest: int64(1), key: "idle", policy: envs.Int(0), want: 0, source: policy},
		"idle human, default":                     {rest: int64(1), key: "idle", want: 1, source: standard},
		"policy alone":                            {rest: int64(1), policy: envs.Int(2), want: 2, source: policy},
		"nobody":                                  {rest: int64(1), want: 1, source: standard},
		"nobody, no default":                      {want: 0, source: standard},
		"outside the space, policy":               {rest: int64(1), key: "X", policy: envs.Int(2), want: 2, source: fallback},
		"outside the space, default":              {rest: int64(1), key: "X", want: 1, source: fallback},
		"a text where numbers act":                {rest: int64(1), key: "T", want: 1, source: fallback},
		"the default is outside, nobody":          {rest: int64(7), want: 0, source: fallback},
		"the default is outside, key is":          {rest: int64(7), key: "X", want: 0, source: fallback},
		"masked human, policy":                    {rest: int64(1), key: "R", policy: envs.Int(0), mask: []bool{true, true, false}, want: 0, source: fallback},
		"masked human and default":                {rest: int64(1), key: "R", mask: []bool{false, false, false}, want: 0, source: fallback},
		"masked default":                          {rest: int64(0), mask: []bool{false, false, true}, want: 2, source: fallback},
		"masked human allowed":                    {rest: int64(1), key: "R", mask: []bool{false, false, true}, want: 2, source: human},
		"a key of the default's value, no policy": {rest: int64(0), key: "L", want: 0, source: standard},
	} {
		t.Run(name, func(t *testing.T) {
			r := role(c.rest)
			var said *reading
			switch c.key {
			case "":
			case "idle":
				said = r.keys.idle
			default:
				said = r.keys.single[r.keys.index(c.key)]
			}
			got, source := decide(r, said, c.policy, c.mask)
			if got != c.want || source != c.source {
				t.Errorf("decided %v from %v, want %v from %v", got, source, c.want, c.source)
			}
		})
	}
}
