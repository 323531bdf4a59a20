package envtest

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"reflect"
	"slices"

	"sharpie/envs"
)

// subject is an environment under test. Its methods end the check on any error
// that a correct environment does not return.
type subject struct {
	envs.Environment
	probe *probe
	// roles that are live, with what they saw last
	live []envs.RoleObservation
	used bool // it was reset
}

// renew makes a new environment in the place of one that knows one episode only.
func (s *subject) renew() {
	host, ok := s.Environment.(envs.Host)
	if !ok || host.Reusable() {
		return
	}
	old := s.Environment
	s.Environment = s.probe.env().Environment
	s.probe.open = slices.DeleteFunc(s.probe.open, func(e envs.Environment) bool { return e == old })
	s.probe.close(old)
}

// reset begins an episode; of an environment that is not reusable, on a new one.
func (s *subject) reset(seed uint64) envs.Observations {
	if s.used {
		s.renew()
	}
	s.used = true
	obs, err := s.tryReset(seed)
	if err != nil {
		s.probe.fail("Reset(%d) failed: %v", seed, err)
	}
	s.live = append(s.live[:0], obs...)
	return obs
}

func (s *subject) tryReset(seed uint64) (obs envs.Observations, err error) {
	err = s.probe.call("Reset", func(ctx context.Context) (err error) {
		obs, err = s.Environment.Reset(ctx, seed)
		return err
	})
	return obs, err
}

func (s *subject) step(actions []envs.RoleAction) envs.Transition {
	tr, err := s.tryStep(actions)
	if err != nil {
		s.probe.fail("Step with legal actions %s failed: %v", describeActions(actions), err)
	}
	s.live = s.live[:0]
	for _, r := range tr.Roles {
		if !r.Terminated && !r.Truncated {
			s.live = append(s.live, r.RoleObservation)
		}
	}
	return tr
}

func (s *subject) tryStep(actions []envs.RoleAction) (tr envs.Transition, err error) {
	err = s.probe.call("Step", func(ctx context.Context) (err error) {
		tr, err = s.Environment.Step(ctx, actions)
		return err
	})
	return tr, err
}

// look is what is remembered of a picture: its size and a digest.
type look struct {
	width, height int
	digest        uint64
}

// digestSeed makes all digests of the process comparable.
var digestSeed = maphash.MakeSeed()

// render draws, and remembers the picture.
func (s *subject) render() look {
	return lookAt(s.draw())
}

// lookAt remembers a picture.
func lookAt(f envs.Frame) look {
	var h maphash.Hash
	h.SetSeed(digestSeed)
	for _, part := range [...][]byte{f.RGB, f.Index, f.Palette} {
		maphash.WriteComparable(&h, len(part))
		h.Write(part)
	}
	return look{f.Width, f.Height, h.Sum64()}
}

// draw returns the picture itself, until the next one.
func (s *subject) draw() envs.Frame {
	f, err := s.tryRender()
	if err != nil {
		s.probe.fail("Render failed: %v", err)
	}
	return f
}

func (s *subject) tryRender() (f envs.Frame, err error) {
	err = s.probe.call("Render", func(ctx context.Context) (err error) {
		f, err = s.Environment.Render(ctx)
		return err
	})
	return f, err
}

// role returns the specification of a role; nil if there is none.
func (s *subject) role(role envs.Role) *envs.RoleSpec {
	spec := s.Spec()
	for i := range spec.Roles {
		if spec.Roles[i].Role == role {
			return &spec.Roles[i]
		}
	}
	return nil
}

// sample draws a legal action for every live role whose turn it is.
func (s *subject) sample(rng *rand.Rand) []envs.RoleAction {
	out := make([]envs.RoleAction, 0, len(s.live))
	for _, o := range s.live {
		if o.Waits {
			continue
		}
		spec := s.role(o.Role)
		if spec == nil || spec.Action == nil {
			s.probe.fail("an observation is of role %q, which Spec does not list with an action space", o.Role)
		}
		out = append(out, envs.RoleAction{Role: o.Role, Action: spec.Action.Sample(rng, o.ActionMask)})
	}
	return out
}

// moment is one step of an episode: what went in and what came out.
type moment struct {
	actions []envs.RoleAction
	out     envs.Transition
	picture look
}

// episode is a Reset and the steps after it.
type episode struct {
	seed    uint64
	first   envs.Observations
	picture look
	moments []moment
	// over is whether the episode ended; else it was left off.
	over bool
}

// generator draws the actions of the episode of a seed.
func generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// play resets and plays random legal actions.
func (s *subject) play(seed uint64, steps int, pictures bool) *episode {
	e := &episode{seed: seed, first: s.reset(seed)}
	if pictures {
		e.picture = s.render()
	}
	rng := generator(seed)
	for range steps {
		actions := s.sample(rng)
		m := moment{actions: actions, out: s.step(actions)}
		if pictures {
			m.picture = s.render()
		}
		e.moments = append(e.moments, m)
		if m.out.Done() {
			e.over = true
			break
		}
	}
	return e
}

// difference says where two episodes part; empty where they do not.
func (e *episode) difference(other *episode) string {
	if len(e.first) != len(other.first) {
		return fmt.Sprintf("after Reset there are %d observations, then %d", len(e.first), len(other.first))
	}
	for i := range e.first {
		if d := observationDifference(e.first[i], other.first[i]); d != "" {
			return "after Reset, " + d
		}
	}
	if d := pictureDifference(e.picture, other.picture); d != "" {
		return "after Reset, " + d
	}
	for i := range min(len(e.moments), len(other.moments)) {
		a, b := e.moments[i], other.moments[i]
		if d := transitionDifference(a.out, b.out); d != "" {
			return fmt.Sprintf("in step %d, %s", i+1, d)
		}
		if d := pictureDifference(a.picture, b.picture); d != "" {
			return fmt.Sprintf("after step %d, %s", i+1, d)
		}
	}
	if len(e.moments) != len(other.moments) {
		return fmt.Sprintf("one episode has %d steps, the other %d", len(e.moments), len(other.moments))
	}
	return ""
}

func transitionDifference(a, b envs.Transition) string {
	if len(a.Roles) != len(b.Roles) {
		return fmt.Sprintf("there are %d roles, then %d", len(a.Roles), len(b.Roles))
	}
	for i := range a.Roles {
		x, y := a.Roles[i], b.Roles[i]
		if d := observationDifference(x.RoleObservation, y.RoleObservation); d != "" {
			return d
		}
		if x.Reward != y.Reward {
			return fmt.Sprintf("the reward of %q is %v, then %v", x.Role, x.Reward, y.Reward)
		}
		if x.Terminated != y.Terminated || x.Truncated != y.Truncated {
			return fmt.Sprintf("%q is terminated %t, truncated %t, then %t, %t",
				x.Role, x.Terminated, x.Truncated, y.Terminated, y.Truncated)
		}
	}
	return ""
}

func observationDifference(a, b envs.RoleObservation) string {
	if a.Role != b.Role {
		return fmt.Sprintf("the role is %q, then %q", a.Role, b.Role)
	}
	if !envs.Equal(a.Observation, b.Observation) {
		return fmt.Sprintf("the observation of %q is %v, then %v", a.Role,
			envs.ToDocument(a.Observation), envs.ToDocument(b.Observation))
	}
	if !reflect.DeepEqual(a.ActionMask, b.ActionMask) {
		return fmt.Sprintf("the action mask of %q is %v, then %v", a.Role, a.ActionMask, b.ActionMask)
	}
	if a.Waits != b.Waits {
		return fmt.Sprintf("%q waits %t, then %t", a.Role, a.Waits, b.Waits)
	}
	if !reflect.DeepEqual(a.Info, b.Info) {
		return fmt.Sprintf("the info of %q is %v, then %v", a.Role, a.Info, b.Info)
	}
	return ""
}

// pictureDifference compares what is seen, and in which form.
func pictureDifference(a, b look) string {
	if a.width != b.width || a.height != b.height {
		return fmt.Sprintf("the picture is %d×%d, then %d×%d", a.width, a.height, b.width, b.height)
	}
	if a.digest != b.digest {
		return "the pictures differ"
	}
	return ""
}

func describeActions(actions []envs.RoleAction) string {
	var b bytes.Buffer
	for i, a := range actions {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s: %v", a.Role, envs.ToDocument(a.Action))
	}
	return "{" + b.String() + "}"
}
