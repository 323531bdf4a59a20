package builtin

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"sharpie/agents"
	"sharpie/envs"
	"sharpie/envs/builtin"
)

// table is an environment with an agent in every role.
type table struct {
	env    envs.Environment
	agents map[envs.Role]agents.Agent
}

// play makes an environment and seats: policy sources by role; a role that is not
// named gets rest.
func play(t *testing.T, source string, kwargs map[string]any, seed uint64, rest string, policies map[envs.Role]string) *table {
	t.Helper()
	env, err := builtin.Registry().Make(source, kwargs)
	if err != nil {
		t.Fatal(err)
	}
	p := &table{env: env, agents: map[envs.Role]agents.Agent{}}
	for _, r := range env.Spec().Roles {
		policy := policies[r.Role]
		if policy == "" {
			policy = rest
		}
		a, err := Registry().Make(policy, agents.Spec{Role: r, Environment: env.Spec().ID, Roles: env.Spec().Roles, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		p.agents[r.Role] = a
	}
	return p
}

// episode plays one episode and calls seen with every transition.
func (p *table) episode(t *testing.T, seed uint64, seen func(before envs.Observations, actions []envs.RoleAction, tr envs.Transition)) {
	t.Helper()
	ctx := context.Background()
	obs, err := p.env.Reset(ctx, seed)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var actions []envs.RoleAction
		for _, o := range obs {
			v, err := p.agents[o.Role].Act(ctx, agents.Input{Observation: o.Observation, ActionMask: o.ActionMask})
			if err != nil {
				t.Fatal(err)
			}
			actions = append(actions, envs.RoleAction{Role: o.Role, Action: v})
		}
		tr, err := p.env.Step(ctx, actions)
		if err != nil {
			t.Fatal(err)
		}
		seen(obs, actions, tr)
		if tr.Done() {
			return
		}
		obs = obs[:0:0]
		for _, r := range tr.Roles {
			obs = append(obs, r.RoleObservation)
		}
	}
}

// returns plays episodes and returns the mean sum of rewards of each role.
func (p *table) returns(t *testing.T, episodes int) map[envs.Role]float64 {
	t.Helper()
	sum := map[envs.Role]float64{}
	for i := range episodes {
		p.episode(t, uint64(i), func(_ envs.Observations, _ []envs.RoleAction, tr envs.Transition) {
			for _, r := range tr.Roles {
				sum[r.Role] += r.Reward / float64(episodes)
			}
		})
	}
	return sum
}

// distances is the number of moves to the goal from each cell of the 4x4 map
// without falling in; holes are -1.
func distances() []int {
	const lake = "SFFFFHFHFFFHHFFG"
	out := make([]int, len(lake))
	for i := range out {
		out[i] = -1
	}
	queue := []int{15}
	out[15] = 0
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, next := range []int{at - 4, at + 4, at - 1, at + 1} {
			if next < 0 || next > 15 || (next/4 != at/4 && next%4 != at%4) || lake[next] == 'H' || out[next] >= 0 {
				continue
			}
			out[next] = out[at] + 1
			queue = append(queue, next)
		}
	}
	return out
}

func TestTamerLearnsFrozenLakeFromATeacher(t *testing.T) {
	lake := map[string]any{"map_name": "4x4", "is_slippery": false}
	p := play(t, "go:FrozenLake-v1", lake, 1, "go:tamer", nil)
	walker := p.agents["agent_0"].(agents.Learner)
	const episodes = 100
	before := p.returns(t, episodes)["agent_0"]

	away := distances()
	judged := 0
	for i := range 25 {
		p.episode(t, uint64(i), func(obs envs.Observations, actions []envs.RoleAction, tr envs.Transition) {
			from, to := away[obs[0].Observation.(envs.Int)], away[tr.Roles[0].Observation.(envs.Int)]
			praise := -1.0
			if to >= 0 && to < from {
				praise = 1
			}
			judged++
			err := walker.Update(context.Background(), agents.Transition{
				Observation: obs[0].Observation, Action: actions[0].Action, NextObservation: tr.Roles[0].Observation,
				Reward: praise, Human: true, Terminated: tr.Roles[0].Terminated, Truncated: tr.Roles[0].Truncated,
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
	after := p.returns(t, episodes)["agent_0"]
	t.Logf("reached the goal in %.0f %% of episodes before, %.0f %% after %d judgements", 100*before, 100*after, judged)
	if before > 0.2 || after < 0.95 {
		t.Errorf("reached the goal in %.0f %% before and %.0f %% after; want at most 20 and at least 95", 100*before, 100*after)
	}
}

func TestTamerLearnsFromTheHumanAlone(t *testing.T) {
	a, err := Registry().Make("go:tamer", seat(envs.Discrete{N: 3}, envs.Discrete{N: 2}))
	if err != nil {
		t.Fatal(err)
	}
	tamer, fresh := a.(agents.Learner), a.Version()
	tr := agents.Transition{Observation: envs.Int(1), Action: envs.Int(1), NextObservation: envs.Int(2)}
	for _, c := range []struct {
		name   string
		reward float64
		human  bool
	}{{"the environment's reward", 1, false}, {"no judgement", 0, true}} {
		tr.Reward, tr.Human = c.reward, c.human
		if err := tamer.Update(context.Background(), tr); err != nil {
			t.Fatal(err)
		}
		if a.Version() != fresh {
			t.Errorf("it learned from %s: %s", c.name, a.Version())
		}
	}
	tr.Reward, tr.Human = -1, true
	if err := tamer.Update(context.Background(), tr); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		v, err := a.Act(context.Background(), agents.Input{Observation: envs.Int(1)})
		if err != nil {
			t.Fatal(err)
		}
		if v != envs.Int(0) {
			t.Fatalf("it repeats what was blamed: %v", v)
		}
	}
}

func TestPursuerCatchesMoreThanRandom(t *testing.T) {
	for _, chasers := range []int64{1, 3} {
		field := map[string]any{"num_good": int64(1), "num_adversaries": chasers, "num_obstacles": int64(2), "max_cycles": int64(100)}
		catch := func(chaser, fleer string) float64 {
			p := play(t, "go:simple_tag_v3", field, 3, chaser, map[envs.Role]string{"agent_0": fleer})
			return p.returns(t, 25)["adversary_0"]
		}
		scripted, random := catch("go:pursuer", "go:random"), catch("go:random", "go:random")
		fled := catch("go:pursuer", "go:pursuer")
		t.Logf("%d chasers: return against a random runner %.0f, of random chasers %.0f; against a scripted runner %.0f", chasers, scripted, random, fled)
		if scripted < 5*random+50 {
			t.Errorf("%d scripted chasers get %.0f, random ones %.0f: want five times as much", chasers, scripted, random)
		}
		if fled > 0.5*scripted {
			t.Errorf("%d chasers get %.0f from a scripted runner and %.0f from a random one: it does not run away", chasers, fled, scripted)
		}
	}
}

func TestFleerStaysInTheField(t *testing.T) {
	field := map[string]any{"num_good": int64(1), "num_adversaries": int64(1), "num_obstacles": int64(2), "max_cycles": int64(200)}
	p := play(t, "go:simple_tag_v3", field, 3, "go:pursuer", nil)
	outside, steps := 0, 0
	for i := range 20 {
		p.episode(t, uint64(i), func(_ envs.Observations, _ []envs.RoleAction, tr envs.Transition) {
			o := tr.Roles[1].Observation.(envs.Array)
			if steps++; math.Max(math.Abs(o.At(2)), math.Abs(o.At(3))) > 1 {
				outside++
			}
		})
	}
	t.Logf("outside in %d of %d steps", outside, steps)
	if float64(outside) > 0.05*float64(steps) {
		t.Errorf("the runner was outside the field in %d of %d steps", outside, steps)
	}
}

func TestSpreaderCoversMoreThanRandom(t *testing.T) {
	field := map[string]any{"max_cycles": int64(60)}
	covered := func(policies map[envs.Role]string, rest string) float64 {
		p := play(t, "go:simple_spread_v3", field, 3, rest, policies)
		total := 0
		for i := range 100 {
			var last envs.Transition
			p.episode(t, uint64(i), func(_ envs.Observations, _ []envs.RoleAction, tr envs.Transition) { last = tr })
			total += coveredLandmarks(last)
		}
		return float64(total) / 100
	}
	scripted, random := covered(nil, "go:spreader"), covered(nil, "go:random")
	mixed := covered(map[envs.Role]string{"agent_0": "go:random"}, "go:spreader")
	t.Logf("covered of 3 at the end: scripted %.2f, random %.2f, one random among scripted %.2f", scripted, random, mixed)
	if scripted < 2.5 || scripted < 4*random || mixed < 1.5 {
		t.Errorf("covered of 3 at the end: scripted %.2f, random %.2f, one random %.2f; want at least 2.5, a quarter of that at most, 1.5", scripted, random, mixed)
	}
}

// coveredLandmarks counts the landmarks within an agent's radius (0.15) of some
// agent, from the observations of all three.
func coveredLandmarks(tr envs.Transition) int {
	n := 0
	for l := range 3 {
		for _, r := range tr.Roles {
			o := r.Observation.(envs.Array)
			if math.Hypot(o.At(4+2*l), o.At(5+2*l)) < 0.15 {
				n++
				break
			}
		}
	}
	return n
}

func BenchmarkAct(b *testing.B) {
	for name, c := range map[string]struct {
		source string
		spec   agents.Spec
	}{
		"tamer": {"go:tamer", seat(envs.Discrete{N: 16}, envs.Discrete{N: 4})}, "spreader": {"go:spreader", spreadSpec()},
		"chaser": {"go:pursuer", tagSpec("adversary_0")}, "runner": {"go:pursuer", tagSpec("agent_0")},
	} {
		b.Run(name, func(b *testing.B) {
			a, err := Registry().Make(c.source, c.spec)
			if err != nil {
				b.Fatal(err)
			}
			in := agents.Input{Observation: c.spec.Role.Observation.Sample(rand.New(rand.NewPCG(1, 2)), nil)}
			for b.Loop() {
				if _, err := a.Act(context.Background(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
