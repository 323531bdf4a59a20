package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"sharpie/experiments"
	"sharpie/persistence"
)

// This file is a session that a former run of this node left in the middle: it waits
// for its participants, and goes on from the last step that is stored.

// restored is what the store has of such a session. It does not change.
type restored struct {
	doc       *persistence.Session
	def       *experiments.Definition
	canonical []byte
	bundle    string
	names     map[persistence.UserID]string
	begun     int                  // episodes, attempts not counted
	episode   *persistence.Episode // the newest; nil: none was begun
	tally     tally                // of its steps
	states    map[string]carried
}

// tally is what the stored steps of an episode add up to.
type tally struct {
	records  int64 // without a gap, from step 0
	offset   int64 // of the last one, on its runner's clock, µs
	returns  []float64
	human    []float64
	versions []string // policy versions in force, by role
	seqs     []uint64 // newest input, by role
}

// newTally adds nothing up yet.
func newTally(roles int) tally {
	return tally{returns: make([]float64, roles), human: make([]float64, roles), versions: make([]string, roles), seqs: make([]uint64, roles)}
}

// add takes in the next chunk.
func (t *tally) add(c *persistence.StepChunk) {
	t.records += int64(c.Count)
	if n := len(c.Offsets); n > 0 {
		t.offset = c.Offsets[n-1]
	}
	for i := range min(len(t.returns), len(c.Roles)) {
		r := &c.Roles[i]
		for _, v := range r.Rewards {
			t.returns[i] += v
		}
		for _, v := range r.HumanRewards {
			if v != nil {
				t.human[i] += *v
			}
		}
		for _, in := range r.Inputs {
			t.seqs[i] = max(t.seqs[i], uint64(max(0, in.Seq)))
		}
		if n := len(r.PolicyVersions); n > 0 {
			t.versions[i] = r.PolicyVersions[n-1].Version
		}
	}
}

// restoredSession prepares a session for its second life.
func restoredSession(c *cast, r *restored) *session {
	s := newSession(c, r.doc.ID, JoinRequest{
		Experiment: r.doc.Experiment, Version: r.doc.ExperimentVersion, Definition: r.def, BundleHash: r.bundle, Room: r.doc.Room,
	}, r.canonical)
	s.restored = r
	return s
}

// reopen is open for it.
func (s *session) reopen(ctx actor.Context) {
	r := s.restored
	s.opened, s.started, s.begun, s.states = r.doc.OpenedAt, r.doc.StartedAt, r.begun, r.states
	s.lobbyEnd = s.opened
	s.recorder = ctx.Spawn(reopenedProps(s.cast, s.log, r))
	not := s.reopenEpisode()
	s.machine = machine{phasePaused, phaseQueued}
	s.notice = "The server was restarted. The game goes on as soon as everybody is back."
	s.handedOver("server_restarted", persistence.Document{"phase": r.doc.Phase, "away_us": s.silence().Microseconds()})
	for _, st := range s.seats {
		s.reopenSeat(ctx, st)
	}
	if e := s.episode; e != nil && e.over && e.doc.Status != "aborted" && s.begun >= s.def.Experiment.NumberOfEpisodes {
		s.machine, s.notice = machine{phase: phaseRunning}, "" // only the last word is missing
		s.entered(ctx, "")
		s.apply(ctx, evEpisodeDone)
		return
	}
	s.entered(ctx, "")
	if not != "" {
		s.abandonEpisode(ctx, "the server ended in the middle of the episode; "+not)
	}
}

// reopenEpisode takes the newest episode up, or says why it has to begin again.
func (s *session) reopenEpisode() (not string) {
	r := s.restored
	if r.episode == nil {
		return ""
	}
	e := &episode{doc: *r.episode, started: true, begun: r.tally.records > 0, over: r.episode.Status != "running", step: uint64(max(0, r.tally.records-1)), offset: r.tally.offset}
	e.acked = e.step
	s.episode = e
	s.runnerID = string(e.doc.Runner)
	if n := len(e.doc.Runs); n > 0 {
		s.runnerID = string(e.doc.Runs[n-1].Runner)
		for _, r := range e.doc.Runs {
			if r.At.Sub(e.lostAt) > calmAfter {
				e.losses = 0
			}
			e.losses, e.lostAt = e.losses+1, r.At
		}
	}
	if e.over {
		return ""
	}
	not = s.resumable()
	switch {
	case not == "" && r.tally.records == 0:
		not = "none of its steps is stored"
	case not == "" && s.exhausted():
		not = "it was taken over too often"
	}
	if not == "" {
		e.lost()
		e.resume = &takeover{why: "server_restarted", from: s.runnerID, since: time.Now()}
	}
	return not
}

// reopenSeat waits for the participant, as for one whose connection was lost.
func (s *session) reopenSeat(ctx actor.Context, st *seat) {
	r := s.restored
	for _, old := range r.doc.Seats {
		if old.Role != string(st.agent.Role) || old.Participant == "" {
			continue
		}
		st.participant, st.user, st.userName, st.joined, st.left = old.Participant, old.User, r.names[old.User], old.JoinedAt, old.LeftAt
		st.live, st.nextSeq = true, 1
		if st.index < len(r.tally.seqs) {
			st.nextSeq, st.ret = r.tally.seqs[st.index]+1, r.tally.returns[st.index]
			st.used = r.tally.seqs[st.index]
		}
		if st.replaced = old.LeftAt != nil; st.replaced {
			continue
		}
		st.missing = true
		s.spawnParticipant(ctx, st)
	}
}

// silence is how long nobody has stored anything of the running episode.
func (s *session) silence() time.Duration {
	e := s.episode
	if e == nil || e.over {
		return 0
	}
	return max(0, time.Since(e.doc.ReceivedAt.Add(time.Duration(e.offset)*time.Microsecond)))
}
