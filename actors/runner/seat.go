package runner

import (
	"context"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
)

// seat is one agent of the definition during one episode. Only the loop uses it.
type seat struct {
	plan  *rolePlan
	index int

	occupant messages.SetSeat_Occupant
	agent    agents.Agent   // nil: no policy
	learner  agents.Learner // the agent, if it gets updates by itself
	hosted   bool           // the agent lives in the environment's process
	pupil    bool           // it learns, by itself or in the environment's process
	interval int            // of updates, as checkpoint_interval
	standIn  agents.Agent   // the drop-out policy, once it was needed
	guest    bool           // the stand-in lives in the environment's process
	version  string         // of the policy that acts, as reported last
	// hostVersion is that of the hosted policy, as the host named it last.
	hostVersion string

	turns bool // the experiment is turn-based
	live  bool
	waits bool // live, and it is another role's turn
	obs   envs.Value
	mask  []bool

	held    held
	pending []*messages.Input // since the step before
	preview merged            // of held and pending
	fresh   bool              // preview is up to date

	// What the seat does in the step that is being taken.
	action       envs.Value
	source       messages.Source
	policyAction envs.Value

	// The transition just shown, for the learner, while learn is set. One that goes on
	// until the role's next turn is open.
	learn, open bool
	transition  agents.Transition
	transitions uint64   // complete ones
	judged      *float64 // the reward that a person gave while it was open
	updates     uint64
	due         bool                 // a checkpoint is, during the episode
	last        *messages.Checkpoint // of a hosted policy that gave its place to a stand-in

	shape   []int64 // of the last observation message
	lastSeq uint64  // newest input used
	total   float64 // sum of rewards
}

// maxPending bounds the inputs of one seat that wait for a step; beyond, the
// oldest are dropped and counted.
const maxPending = 16_384

// human reports whether a person acts in the seat now.
func (s *seat) human() bool {
	return s.plan.agent.Participant && s.occupant == messages.SetSeat_HUMAN
}

// merged returns what the inputs so far amount to.
func (s *seat) merged() *merged {
	if !s.fresh {
		s.preview, s.fresh = merge(s.plan.keys, s.held, s.pending), true
	}
	return &s.preview
}

// add takes one more raw input.
func (s *seat) add(in *messages.Input) (dropped bool) {
	if len(s.pending) >= maxPending {
		copy(s.pending, s.pending[1:])
		s.pending, dropped = s.pending[:len(s.pending)-1], true
	}
	s.pending, s.fresh = append(s.pending, in), false
	return dropped
}

// letGo stands among a seat's inputs for all keys being released by nobody's hand;
// it is not recorded.
var letGo = &messages.Input{}

// release lets go of all keys: who held them has left, or lost the connection.
func (s *seat) release() {
	if len(s.held.down) > 0 || len(s.held.muted) > 0 || len(s.pending) > 0 {
		s.add(letGo)
	}
}

// commit uses up the inputs: the next step begins with what is held.
func (s *seat) commit() {
	s.held = s.preview.after
	if s.waits && s.replaces() {
		s.held.forget(s.turns)
	}
	for _, in := range s.pending {
		s.lastSeq = max(s.lastSeq, in.GetSeq())
	}
	clear(s.pending)
	s.pending = s.pending[:0]
	s.fresh = false
}

// answered reports whether the seat has said something that the next step can
// use. paced says that steps are apart, so that a key held on counts again; as a
// judgement it does not, because the transition it judges was not yet seen.
func (s *seat) answered(paced bool) bool {
	m := s.merged()
	switch {
	case m.reading.idle || (!m.fresh && (!paced || s.plan.feedback)):
		return false
	case s.plan.feedback:
		return m.reading.numeric
	case s.plan.advice:
		return true
	}
	return usable(s.plan, m.reading, s.mask)
}

// judgeable reports whether the role has done something since its last judgement
// that the last step showed the outcome of.
func (s *seat) judgeable() bool { return s.source != messages.Source_SOURCE_NONE || s.learn || s.open }

// standsIn reports whether the drop-out policy acts in the seat.
func (s *seat) standsIn() bool {
	return s.occupant == messages.SetSeat_POLICY && s.standIn != nil && s.replaces()
}

// actor is the policy that acts in the seat now; nil for none. The drop-out
// policy takes the person's part, so it acts where the person's input was an
// action; a policy that a person only advised or rated goes on by itself.
func (s *seat) actor() agents.Agent {
	if s.standsIn() {
		return s.standIn
	}
	return s.agent
}

func (s *seat) replaces() bool {
	return s.plan.agent.Participant && !s.plan.feedback && !s.plan.advice
}

// said is the reading that counts as an action; nil where no person acts.
func (s *seat) said() *reading {
	if s.human() && s.replaces() {
		return s.preview.reading
	}
	return nil
}

// feedback is the reward that the person gave for the transition just shown: one
// value, by the same rule as for actions, however many inputs there were. In real
// time a key that is held judges every transition; in turns only a new input does.
func (s *seat) feedback() (float64, bool) {
	r := s.preview.reading
	if !s.plan.feedback || !s.human() || r.idle || !r.numeric || (s.turns && !s.preview.fresh) {
		return 0, false
	}
	return r.reward, true
}

// takesTurn reports whether the seat acts in the next step.
func (s *seat) takesTurn() bool { return s.live && !s.waits }

// advice is what the policy sees of the person's input.
func (s *seat) advice() envs.Value {
	if s.plan.advice && s.human() {
		return s.preview.reading.advice
	}
	return nil
}

// judgement is the reward to learn from, of a seat whose person gives it: it learns
// from nothing else, and without an input it is the default's.
func (s *seat) judgement() (reward float64, given bool) {
	if reward, given = s.feedback(); given {
		return reward, true
	}
	if s.judged != nil {
		return *s.judged, true
	}
	return s.plan.keys.idle.reward, false
}

// update gives the learner the transition just shown.
func (s *seat) update(ctx context.Context) error {
	t := s.transition
	if s.plan.feedback {
		t.Reward, t.Human = s.judgement()
	}
	s.learned()
	return s.learner.Update(ctx, t)
}

// lesson is the same for a policy in the environment's process.
func (s *seat) lesson() *envs.Lesson {
	out := &envs.Lesson{Terminated: s.transition.Terminated, Truncated: s.transition.Truncated}
	if s.plan.feedback {
		reward, _ := s.judgement()
		out.Reward = &reward
	}
	s.learned()
	return out
}

// learned counts an update.
func (s *seat) learned() {
	s.updates, s.judged = s.updates+1, nil
	if n := uint64(max(s.plan.policy.CheckpointEvery, 0)); n > 0 && s.updates%n == 0 {
		s.due = true
	}
}

// see takes one transition of the role in. From its action on, a role that waits
// goes on with the same one until it is its turn again, or it ends.
func (s *seat) see(t *envs.RoleTransition, ended, truncated bool) {
	if !s.pupil {
		return
	}
	n := &s.transition
	switch {
	case s.source != messages.Source_SOURCE_NONE:
		*n = agents.Transition{Observation: s.obs, Action: s.action}
		s.open = true
	case !s.open:
		return
	}
	n.Reward += t.Reward
	n.NextObservation, n.Terminated, n.Truncated = t.Observation, t.Terminated, truncated
	if ended || !t.Waits {
		s.close()
	}
}

// close completes the open transition.
func (s *seat) close() {
	s.learn, s.open = true, false
	s.transitions++
}

// takesLesson reports whether the seat's policy is to be taught now. A
// checkpoint_interval of N makes every N-th transition due, and the last one of a
// role always. Either way the transition is used up.
func (s *seat) takesLesson() bool {
	if !s.learn {
		return false
	}
	s.learn = false
	if (s.interval > 0 && s.transitions%uint64(s.interval) == 0) || !s.live {
		return true
	}
	s.judged = nil
	return false
}
