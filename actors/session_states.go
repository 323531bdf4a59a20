package actors

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/actors/messages"
	"sharpie/experiments"
	"sharpie/persistence"
)

// This file is what policies have learned, on its way from one episode to the next:
// within the session from hand to hand, and where a policy's checkpoint_scope says
// more than that, through the store.

// carried is a learned state that a next episode begins with.
type carried struct {
	state *messages.AgentState
	hash  string    // SHA-256 of the data, hex
	at    time.Time // when it reached a server
}

func carriedOf(c *persistence.Checkpoint) carried {
	return carried{state: &messages.AgentState{Role: c.Role, Version: c.Version, Data: c.Data}, hash: c.Hash, at: c.ReceivedAt}
}

// scoped is a state that is looked for in the store.
type scoped struct{ scope, role, policy string }

// policyOf finds the policy of a role; nil for none.
func (s *session) policyOf(role string) *experiments.Policy {
	for i := range s.def.Agents {
		if string(s.def.Agents[i].Role) != role {
			continue
		}
		for j := range s.def.Policies {
			if s.def.Policies[j].Name == s.def.Agents[i].Policy {
				return &s.def.Policies[j]
			}
		}
	}
	return nil
}

// scopeOf says whose a role's learned state is. A participant's is that of who sits
// in the role; of a role without a seat, of who has the first one. Participants are
// persons in an experiment: the same in all sessions that they play of it.
func (s *session) scopeOf(role string, p *experiments.Policy) string {
	switch p.CheckpointScope {
	case "experiment":
		return "experiment:" + s.link
	case "participant":
		var first persistence.ParticipantID
		for _, st := range s.seats {
			if st.free() {
				continue
			}
			if first == "" {
				first = st.participant
			}
			if string(st.agent.Role) == role {
				return "participant:" + string(st.participant)
			}
		}
		if first != "" {
			return "participant:" + string(first)
		}
	}
	return "session:" + string(s.id)
}

// wanted lists the states that other sessions may have left.
func (s *session) wanted() []scoped {
	var out []scoped
	for i := range s.def.Agents {
		role := string(s.def.Agents[i].Role)
		p := s.policyOf(role)
		if p == nil || (p.CheckpointScope != "participant" && p.CheckpointScope != "experiment") {
			continue
		}
		out = append(out, scoped{s.scopeOf(role, p), role, p.Name})
	}
	return out
}

// prepare gets the learned states for the episode that is about to start, and sends
// its Start then. It never waits longer than Limits.StateWait for the store.
func (s *session) prepare(ctx actor.Context, start *messages.Start, again map[string]carried) {
	e := s.episode
	e.start = start
	wanted := s.wanted()
	if again != nil || len(wanted) == 0 {
		if again != nil {
			s.states = maps.Clone(again) // what the lost attempt has learned counts for nothing
		}
		s.sendStart(ctx)
		return
	}
	store, wait, id := s.cast.cfg.Store, s.cast.cfg.Limits.StateWait, e.doc.ID
	root, self := s.cast.root, ctx.Self()
	go func() {
		c, cancel := context.WithTimeout(context.Background(), wait)
		defer cancel()
		found, err := readStates(c, store, wanted)
		root.Send(self, &statesRead{episode: id, found: found, err: err})
	}()
}

// readStates reads the newest state of each; there may be none of some.
func readStates(ctx context.Context, store persistence.Store, wanted []scoped) (found []*persistence.Checkpoint, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError{p}
		}
	}()
	for _, w := range wanted {
		c, err := store.LatestCheckpoint(ctx, w.scope, w.role, w.policy)
		if errors.Is(err, persistence.ErrNotFound) {
			continue
		}
		if err != nil {
			return found, fmt.Errorf("read what %s has learned as %s (%s): %w", w.policy, w.role, w.scope, err)
		}
		found = append(found, c)
	}
	return found, nil
}

// statesRead: the store has said what it has, or did not in time. The session's own
// last state may be newer, because it is still being written.
func (s *session) statesRead(ctx actor.Context, m *statesRead) {
	if !s.preparing() || s.episode.start == nil || s.episode.doc.ID != m.episode {
		s.cast.metrics.stale.WithLabelValues("statesRead").Inc()
		return
	}
	if m.err != nil {
		s.log.Warn("learned states were not read; the episode begins with what the session has", "error", m.err)
		s.event("states_unread", "", "", persistence.Document{"detail": m.err.Error()})
	}
	for _, c := range m.found {
		if own, ok := s.states[c.Role]; ok && !c.ReceivedAt.After(own.at) {
			continue
		}
		s.states[c.Role] = carriedOf(c)
	}
	s.sendStart(ctx)
}

// preparing reports whether the episode's Start waits: for learned states, or for
// the store to have all steps.
func (s *session) preparing() bool {
	e := s.episode
	return e != nil && !e.over && (e.start != nil || e.resume != nil && !e.resume.told)
}

// sendStart gives the episode to the runner.
func (s *session) sendStart(ctx actor.Context) {
	e := s.episode
	start := e.start
	e.start, e.began = nil, maps.Clone(s.states)
	s.giveStart(ctx, start)
}

// giveStart adds what policies have learned, and who was replaced.
func (s *session) giveStart(ctx actor.Context, start *messages.Start) {
	for i := range s.def.Agents {
		if c, ok := s.states[string(s.def.Agents[i].Role)]; ok {
			start.States = append(start.States, c.state)
		}
	}
	if s.ai() {
		for _, st := range s.seats {
			if st.replaced {
				start.AiRoles = append(start.AiRoles, string(st.agent.Role))
			}
		}
	}
	s.used = true
	ctx.Request(s.runner, start)
	if s.machine.phase == phasePaused {
		ctx.Request(s.runner, &messages.Pause{EpisodeId: s.episodeID()})
	}
}

// checkpoint keeps learned state: for the next episode, and in the store, unless it
// is the one that is there.
func (s *session) checkpoint(ctx actor.Context, m *messages.Checkpoint) {
	p := s.policyOf(m.GetRole())
	if p == nil {
		s.cast.metrics.stale.WithLabelValues("Checkpoint").Inc()
		return
	}
	hash, before := sha256.Sum256(m.GetData()), s.states[m.GetRole()]
	doc := &persistence.Checkpoint{
		ID: persistence.NewID("cp"), Scope: s.scopeOf(m.GetRole(), p), Role: m.GetRole(), Policy: p.Name, Version: m.GetVersion(),
		Parent: before.state.GetVersion(), EpisodeID: persistence.EpisodeID(m.GetEpisodeId()), Step: int64(m.GetStep()),
		Hash: hex.EncodeToString(hash[:]), Data: m.GetData(), ReceivedAt: time.Now().UTC(),
	}
	if before.state != nil && before.hash == doc.Hash && before.state.GetVersion() == doc.Version {
		return
	}
	s.states[m.GetRole()] = carried{
		state: &messages.AgentState{Role: m.GetRole(), Version: m.GetVersion(), Data: m.GetData()}, hash: doc.Hash, at: doc.ReceivedAt,
	}
	ctx.Send(s.recorder, &putState{doc})
}
