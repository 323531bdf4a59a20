package experiments

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sharpie/envs"
)

// Proposal is what an experiment is proposed from.
type Proposal struct {
	// Source is "go:ID", "gymnasium:ID" or "pettingzoo:MODULE".
	Source string
	Kwargs map[string]any
	// Dependencies are the packages that its Python needs; empty: the known ones of the source.
	Dependencies []string
	// Link and Name; empty: made from the source.
	Link, Name string
	// Turns says that the roles take turns.
	Turns bool
}

// errNobody: no role can be played by a person.
var errNobody = errors.New("no role can be played by a person")

// pacing is how time goes by.
type pacing struct {
	wait bool
	fps  float64
}

// paceOf proposes real time for what is meant to be watched while it moves (10 steps
// a second and more), and turns for the rest.
func paceOf(spec envs.Spec, turns bool) pacing {
	if turns || spec.FPS < 10 {
		return pacing{wait: true, fps: 5}
	}
	return pacing{fps: min(spec.FPS, maxProposedFPS)}
}

// Bounds of a proposal's steps per second: what people can follow, and how often a
// held key counts in turns.
const (
	maxProposedFPS = 30
	maxTurnFPS     = 15
)

// proposedAgent is one role of a proposal; keys where a person plays it.
type proposedAgent struct {
	role string
	keys *keyProposal
}

// proposeAgents gives the first role that keys suit to a person, and the others to
// chance.
func proposeAgents(source string, spec envs.Spec, pace pacing) ([]proposedAgent, error) {
	var out []proposedAgent
	var why error
	seat := -1
	for i, r := range spec.Roles {
		a := proposedAgent{role: string(r.Role)}
		if seat < 0 {
			keys, err := proposeKeys(source, r, pace.wait)
			if err == nil {
				a.keys, seat = &keys, i
			} else if why == nil {
				why = fmt.Errorf("%w: %s: %w", errNobody, r.Role, err)
			}
		}
		out = append(out, a)
	}
	if seat < 0 {
		if why == nil {
			why = fmt.Errorf("%w: the environment has no roles", errNobody)
		}
		return nil, why
	}
	return out, nil
}

// paceFor is paceOf, and turns for what a person types, and for actions of which none
// is to do nothing: in real time such an environment would act before a key is pressed.
func paceFor(source string, spec envs.Spec, turns bool) pacing {
	pace := paceOf(spec, turns)
	if len(spec.Roles) > 0 {
		switch space := spec.Roles[0].Action.(type) {
		case envs.TextSpace:
			pace = pacing{wait: true, fps: 5}
		case envs.Discrete:
			if means := meaningsOf(source, spec.Roles[0]); !pace.wait && int64(len(means)) <= space.N && !slices.ContainsFunc(means, isNoop) {
				pace = pacing{wait: true, fps: min(spec.FPS, maxTurnFPS)}
			}
		}
	}
	return pace
}

// ProposeFrom makes the environment of a source once, and proposes an experiment.
func ProposeFrom(ctx context.Context, m Maker, p Proposal) ([]byte, error) {
	d := &Definition{Environment: Environment{Name: p.Source, Source: p.Source, Kwargs: p.Kwargs}, Dependencies: p.Dependencies}
	if err := defaultsOf("experiment", &d.Experiment); err != nil {
		return nil, err
	}
	d.Experiment.Link = p.link()
	env, err := m.Environment(ctx, Order{Definition: d, Label: p.Source, Seed: 1})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrInvalid, p.Source, explain(err))
	}
	p.Turns, err = takesTurns(ctx, env)
	var out []byte
	if err == nil {
		out, err = Propose(env.Spec(), p)
	}
	if err := errors.Join(err, env.Close()); err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrInvalid, p.Source, explain(err))
	}
	return out, nil
}

// takesTurns looks whether somebody waits at the beginning of an episode.
func takesTurns(ctx context.Context, env envs.Environment) (bool, error) {
	seen, err := env.Reset(ctx, 1)
	if err != nil {
		return false, err
	}
	for _, o := range seen {
		if o.Waits {
			return true, nil
		}
	}
	return false, nil
}

// Propose writes an experiment's file for an environment: a person in the first role,
// chance in the others, keys from the actions, and time as it suits. The error says in
// a sentence why no person can play.
func Propose(spec envs.Spec, p Proposal) ([]byte, error) {
	pace := paceFor(p.Source, spec, p.Turns)
	list, err := proposeAgents(p.Source, spec, pace)
	if err != nil {
		return nil, err
	}
	w := &yamlWriter{}
	w.line("# An experiment with %s, as proposed; change what you like.", p.Source)
	w.line("environment:")
	w.line("  source: %s", p.Source)
	if len(p.Kwargs) > 0 {
		w.line("  kwargs: %s", flow(p.Kwargs))
	}
	if len(p.Dependencies) > 0 {
		w.line("")
		w.line("dependencies: %s", flow(anyOf(p.Dependencies)))
	}
	if len(list) > 1 {
		w.line("")
		w.line("policies:")
		w.line("  random: {source: \"go:random\"}")
	}
	w.line("")
	w.line("agents:")
	for i, a := range list {
		w.agent(a, spec.Roles[i], pace)
	}
	w.experiment(p, spec, pace)
	if _, err := Parse("proposal", w.b.Bytes()); err != nil {
		return nil, fmt.Errorf("propose an experiment for %s: %w", p.Source, err)
	}
	return w.b.Bytes(), nil
}

// link is an address made from the source: "gymnasium-cartpole-v1".
func (p Proposal) link() string {
	if p.Link != "" {
		return p.Link
	}
	link := strings.Trim(notInLink.ReplaceAllString(strings.ToLower(p.Source), "-"), "-")
	return strings.Trim(link[:min(len(link), 64)], "-")
}

var notInLink = regexp.MustCompile(`[^a-z0-9_]+`)

func (p Proposal) name() string {
	if p.Name != "" {
		return p.Name
	}
	_, id, _ := strings.Cut(p.Source, ":")
	return id
}

// yamlWriter writes a file line by line.
type yamlWriter struct{ b bytes.Buffer }

func (w *yamlWriter) line(format string, args ...any) {
	fmt.Fprintf(&w.b, format+"\n", args...)
}

func (w *yamlWriter) agent(a proposedAgent, r envs.RoleSpec, pace pacing) {
	w.line("  - role: %s", strconv.Quote(a.role))
	if a.keys == nil {
		w.line("    policy: random # or participant: true, for another person")
		return
	}
	w.line("    # sees %s", oneLine(r.Observation))
	w.line("    # does %s", oneLine(r.Action))
	w.line("    participant: true")
	w.line("    inputs_type: actions")
	if a.keys.texts {
		w.line("    textual_inputs: true")
		return
	}
	if a.keys.several {
		w.line("    multiple_keyboard_inputs: true # all held keys count")
	}
	w.line("    keyboard_inputs:")
	for _, k := range a.keys.keys {
		w.line("      %s: %s", strconv.Quote(k.key), flow(k.value))
	}
	if pace.wait {
		w.line("      # No action: a step waits until a key is pressed.")
	}
	w.line("      default: %s", flow(a.keys.def))
	w.line("    keyboard_input_display:")
	for _, k := range a.keys.keys {
		w.line("      %s: {symbol: %s, label: %s}", strconv.Quote(k.key), strconv.Quote(k.symbol), strconv.Quote(k.label))
	}
}

func oneLine(s envs.Space) string { return shorten(strings.Join(strings.Fields(s.String()), " "), 200) }

func (w *yamlWriter) experiment(p Proposal, spec envs.Spec, pace pacing) {
	w.line("")
	w.line("experiment:")
	w.line("  link: %s", p.link())
	w.line("  name: %s", strconv.Quote(p.name()))
	w.line("  number_of_episodes: 3")
	w.line("  wait_for_inputs: %t", pace.wait)
	if pace.wait {
		w.line("  target_fps: %v # 1/target_fps is the pause after a step", pace.fps)
	} else {
		w.line("  target_fps: %v # steps per second", pace.fps)
	}
	if spec.MaxSteps == 0 {
		w.line("  max_steps: 1000 # the environment itself may go on for ever")
	}
}

// anyOf is a list of texts as a list of values.
func anyOf(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}

// flow is a value in one line; JSON is YAML.
func flow(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = flow(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range sortedKeys(v) {
			parts = append(parts, strconv.Quote(k)+": "+flow(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}
