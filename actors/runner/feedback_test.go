package runner

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// trained is an experiment in which a person rewards a policy: ArrowUp is good.
func trained(kind experiments.InputsType) (*experiments.Definition, *fixed, *world) {
	def := definition("a")
	def.Policies = []experiments.Policy{{Name: "p", Source: "go:fixed", CheckpointInterval: 1}}
	def.Agents[0].Policy, def.Agents[0].InputsType = "p", kind
	def.Agents[0].KeyboardInputs = experiments.KeyMap{Default: int64(0), Bindings: []experiments.KeyBinding{
		{Key: "ArrowUp", Value: 0.5}, {Key: "ArrowDown", Value: int64(-1)},
	}}
	def.Experiment.MaxSteps = 3
	agent := &fixed{action: envs.Int(2)}
	return def, agent, &world{env: newWalk("a"), policies: map[string]agents.Agent{"go:fixed": agent}}
}

func (f *fixed) learned() []string {
	var out []string
	for _, u := range f.updates {
		out = append(out, fmt.Sprint(u.NextObservation, " ", u.Reward, " ", u.Human))
	}
	return out
}

func TestARewardIsOfTheTransitionJustShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, agent, w := trained(experiments.InputReward)
		def.Experiment.FeedbackGrace = seconds(2)
		p := play(t, def, w).begin()
		time.Sleep(50 * ms)
		p.input(0, 1, "ArrowUp") // before the first transition: nothing to reward
		p.input(0, 2)
		time.Sleep(100 * ms)
		p.input(0, 3, "ArrowUp") // judges step 1
		p.input(0, 4)
		time.Sleep(300 * ms)
		p.input(0, 5, "ArrowDown") // judges step 3, the last, in the grace
		p.wait()
		if d := cmp.Diff([]string{"4 0.5 true", "5 0 false", "6 -1 true"}, agent.learned()); d != "" {
			t.Errorf("the learner got other rewards (-want +got):\n%s", d)
		}
		var given []string
		for _, r := range p.records() {
			if h := r.Roles[0].HumanReward; h != nil {
				given = append(given, fmt.Sprint(r.Step, " ", *h))
			}
		}
		if d := cmp.Diff([]string{"2 0.5"}, given); d != "" {
			t.Errorf("other rewards are recorded (-want +got):\n%s", d)
		}
		e := p.endOf()
		if len(e.Feedback) != 1 || e.Feedback[0].GetHumanReward() != -1 || len(e.Feedback[0].Inputs) != 1 {
			t.Errorf("feedback after the end is %v, want -1", e.Feedback)
		}
		if at := p.at[len(p.at)-1].Sub(p.at[0]); at != 450*ms {
			t.Errorf("the episode ended after %v, want as soon as the last step was judged, 450ms", at)
		}
		p1 := messages.Source_SOURCE_POLICY
		if d := cmp.Diff([]messages.Source{p1, p1, p1}, p.sources(0)); d != "" {
			t.Errorf("a reward must not act (-want +got):\n%s", d)
		}
	})
}

func TestTheFeedbackGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, agent, w := trained(experiments.InputReward)
		def.Experiment.FeedbackGrace = seconds(2)
		p := play(t, def, w).begin().wait()
		if at := p.at[len(p.at)-1].Sub(p.at[0]); at != 2300*ms {
			t.Errorf("the episode ended after %v, want 2.3s", at)
		}
		if n := len(agent.updates); n != 3 {
			t.Errorf("%d updates, want 3", n)
		}
	})
}

func TestTurnsWaitForAJudgementOnceThereIsSomethingToJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, agent, w := trained(experiments.InputReward)
		def.Experiment.WaitForInputs, def.Experiment.InputTimeout = true, seconds(10)
		p := play(t, def, w).begin()
		time.Sleep(time.Second)
		p.input(0, 1, "ArrowUp") // held on: judges step 1, and not step 2 as well
		time.Sleep(time.Second)
		p.input(0, 2, "ArrowUp", "ArrowDown")
		p.wait()
		if d := cmp.Diff([]time.Duration{100 * ms, time.Second, 2 * time.Second}, p.times()); d != "" {
			t.Errorf("steps were taken at other times (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]string{"4 0.5 true", "5 -1 true", "6 0 false"}, agent.learned()); d != "" {
			t.Errorf("the learner got other rewards (-want +got):\n%s", d)
		}
	})
}

func TestAdviceGoesToThePolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, agent, w := trained(experiments.InputOther)
		p := play(t, def, w).begin()
		time.Sleep(150 * ms)
		p.input(0, 1, "ArrowDown")
		p.wait()
		var got []envs.Value
		for _, in := range agent.inputs {
			got = append(got, in.Human)
		}
		if d := cmp.Diff([]envs.Value{envs.Int(0), envs.Int(-1), envs.Int(-1)}, got); d != "" {
			t.Errorf("the policy saw other advice (-want +got):\n%s", d)
		}
		if len(agent.updates) != 3 || agent.updates[0].Reward != 1 || agent.updates[0].Human {
			t.Errorf("the learner got %v, want the environment's rewards", agent.learned())
		}
	})
}

func TestStatesArePutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def, agent, w := trained(experiments.InputReward)
		play(t, def, w, func(_ *Config, s *messages.Start) {
			s.States = []*messages.AgentState{{Role: "a", Version: "v", Data: []byte("learned before")}}
		}).begin().wait()
		if string(agent.state) != "learned before" {
			t.Errorf("the state is %q", agent.state)
		}
	})
}
