package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sharpie/experiments"
	"sharpie/persistence"
)

// recovery takes up what a crash of this node left open: sessions in the middle go
// on, and the others are closed, with their episodes and the steps that are stored.
type recovery struct {
	store  persistence.Store
	node   string
	before time.Time // sessions opened later are not touched
	log    *slog.Logger
	// reopen makes an actor of a session; nil closes all.
	reopen func(context.Context, *restored) error
	done   map[persistence.SessionID]bool
	went   chan struct{} // closed after the first try
}

// run takes everything up, trying again while the store is away.
func (r *recovery) run(ctx context.Context) {
	for tries := 1; ; tries++ {
		closed, reopened, err := r.once(ctx)
		if tries == 1 {
			close(r.went)
		}
		if closed+reopened > 0 {
			r.log.Warn("took up the sessions that a former run left open", "closed", closed, "go_on", reopened)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		if !errors.Is(err, persistence.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
			r.log.Error("sessions of a former run could not be closed", "error", err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff(tries)):
		}
	}
}

// once goes through all that is left, and counts what it did.
func (r *recovery) once(ctx context.Context) (closed, reopened int, err error) {
	left, err := r.store.UnfinishedSessions(ctx, r.node)
	if err != nil {
		return 0, 0, fmt.Errorf("read unfinished sessions: %w", err)
	}
	for _, doc := range left {
		if !doc.OpenedAt.Before(r.before) || r.done[doc.ID] {
			continue
		}
		from, why, err := r.read(ctx, doc)
		switch {
		case err != nil:
			return closed, reopened, err
		case why == "":
			if err := r.reopen(ctx, from); err != nil {
				return closed, reopened, fmt.Errorf("reopen session %s: %w", doc.ID, err)
			}
			reopened++
		default:
			reason := with(reasonRestarted, "the server ended without closing the session, in phase "+doc.Phase+"; "+why)
			if err := closeSession(ctx, r.store, doc, reason); err != nil {
				return closed, reopened, err
			}
			closed++
		}
		if r.done == nil {
			r.done = map[persistence.SessionID]bool{}
		}
		r.done[doc.ID] = true
	}
	return closed, reopened, nil
}

// read reads what a session needs to go on, or says why it cannot.
func (r *recovery) read(ctx context.Context, doc *persistence.Session) (from *restored, why string, err error) {
	switch p := phase(doc.Phase); {
	case doc.EndedAt != nil || p.final():
		return nil, "it had ended", nil
	case p.seating():
		return nil, "it had not begun", nil
	case r.reopen == nil:
		return nil, "sessions are not reopened", nil
	}
	x, err := r.store.ExperimentVersion(ctx, doc.Experiment, doc.ExperimentVersion)
	if errors.Is(err, persistence.ErrNotFound) {
		return nil, "its experiment is not there any more", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read experiment %s, version %d: %w", doc.Experiment, doc.ExperimentVersion, err)
	}
	from = &restored{doc: doc, bundle: x.BundleHash, names: map[persistence.UserID]string{}, states: map[string]carried{}}
	if from.def, err = experiments.FromDocument(x.Definition); err == nil {
		from.canonical, err = from.def.Canonical()
	}
	if err != nil {
		return nil, "its experiment cannot be read: " + err.Error(), nil
	}
	if why, err = from.readSeats(ctx, r.store); why != "" || err != nil {
		return nil, why, err
	}
	if why, err = from.readEpisode(ctx, r.store); why != "" || err != nil {
		return nil, why, err
	}
	return from, "", from.readStates(ctx, r.store)
}

// readSeats finds out who sits there.
func (r *restored) readSeats(ctx context.Context, s persistence.Store) (why string, err error) {
	roles, present := map[string]bool{}, false
	for i := range r.def.Agents {
		roles[string(r.def.Agents[i].Role)] = r.def.Agents[i].Participant
	}
	for _, st := range r.doc.Seats {
		if !roles[st.Role] || st.Participant == "" {
			return "a seat was free", nil
		}
		present = present || st.LeftAt == nil
		u, err := s.User(ctx, st.User)
		switch {
		case errors.Is(err, persistence.ErrNotFound):
		case err != nil:
			return "", fmt.Errorf("read user %s: %w", st.User, err)
		default:
			r.names[st.User] = u.Name
		}
	}
	if !present {
		return "everybody had left", nil
	}
	return "", nil
}

// readEpisode finds the newest episode, and adds its steps up.
func (r *restored) readEpisode(ctx context.Context, s persistence.Store) (why string, err error) {
	all, err := s.EpisodesOf(ctx, r.doc.ID)
	if err != nil {
		return "", fmt.Errorf("read episodes of %s: %w", r.doc.ID, err)
	}
	for _, e := range all {
		r.begun = max(r.begun, e.Index+1)
		r.episode = e
	}
	e := r.episode
	if e == nil {
		return "", nil
	}
	if len(e.Roles) != len(r.def.Agents) {
		return "its episode has other roles than its experiment", nil
	}
	r.tally = newTally(len(e.Roles))
	for i := range e.Roles {
		r.tally.versions[i] = e.Roles[i].PolicyVersion
	}
	for c, err := range s.StepChunks(ctx, e.ID) {
		if err != nil {
			return "", fmt.Errorf("read steps of %s: %w", e.ID, err)
		}
		if c.First != r.tally.records {
			return fmt.Sprintf("step %d of its episode is not stored", r.tally.records), nil
		}
		r.tally.add(c)
	}
	if e.Status == "running" && r.def.Experiment.OnRunnerLoss == "abort" {
		return "on_runner_loss is abort", nil
	}
	if e.Status == "failed" {
		return "its episode failed", nil
	}
	return "", nil
}

// readStates reads what its policies have learned.
func (r *restored) readStates(ctx context.Context, store persistence.Store) error {
	s := &session{id: r.doc.ID, link: r.doc.Experiment, def: r.def}
	for i := range r.def.Agents {
		if a := &r.def.Agents[i]; a.Participant {
			st := &seat{index: i, agent: a}
			for _, old := range r.doc.Seats {
				if old.Role == string(a.Role) {
					st.participant = old.Participant
				}
			}
			s.seats = append(s.seats, st)
		}
	}
	var all []scoped
	for i := range r.def.Agents {
		role := string(r.def.Agents[i].Role)
		if p := s.policyOf(role); p != nil {
			all = append(all, scoped{s.scopeOf(role, p), role, p.Name})
		}
	}
	found, err := readStates(ctx, store, all)
	if err != nil {
		return err
	}
	for _, c := range found {
		r.states[c.Role] = carriedOf(c)
	}
	return nil
}

// closeSession ends a session and its running episode for a reason; one that had
// ended keeps its own.
func closeSession(ctx context.Context, s persistence.Store, doc *persistence.Session, reason persistence.Reason) error {
	episodes, err := s.EpisodesOf(ctx, doc.ID)
	if err != nil {
		return fmt.Errorf("read episodes of %s: %w", doc.ID, err)
	}
	now := time.Now().UTC()
	for _, e := range episodes {
		if e.Status != "running" {
			continue
		}
		if err := closeLostEpisode(ctx, s, e, reason, now); err != nil {
			return err
		}
	}
	if doc.EndedAt == nil { // else it had ended, and only the last word was missing
		doc.Phase, doc.Reason, doc.EndedAt = string(phaseAborted), reason, &now
	}
	doc.Finished = true
	if err := s.UpdateSession(ctx, doc); err != nil {
		return fmt.Errorf("close session %s: %w", doc.ID, err)
	}
	event := &persistence.Event{ID: persistence.NewID("ev"), At: now, Kind: "recovered", Actor: "system", SessionID: doc.ID,
		Detail: persistence.Document{"phase": doc.Phase, "reason": doc.Reason.Code}}
	if err := s.InsertEvents(ctx, []*persistence.Event{event}); err != nil {
		return fmt.Errorf("record recovery of %s: %w", doc.ID, err)
	}
	return nil
}

// closeLostEpisode ends an episode with what is stored of it.
func closeLostEpisode(ctx context.Context, s persistence.Store, e *persistence.Episode, r persistence.Reason, now time.Time) error {
	sums := make([]persistence.EpisodeRole, len(e.Roles))
	var records int64
	for c, err := range s.StepChunks(ctx, e.ID) {
		if err != nil {
			return fmt.Errorf("read steps of %s: %w", e.ID, err)
		}
		records += int64(c.Count)
		for i := range min(len(sums), len(c.Roles)) {
			for j, v := range c.Roles[i].Rewards {
				sums[i].Return += v
				if j < len(c.Roles[i].HumanRewards) && c.Roles[i].HumanRewards[j] != nil {
					sums[i].HumanReturn += *c.Roles[i].HumanRewards[j]
				}
			}
		}
	}
	for i := range e.Roles {
		e.Roles[i].Return, e.Roles[i].HumanReturn = sums[i].Return, sums[i].HumanReturn
	}
	e.Status, e.Reason, e.EndedAt, e.StoredSteps, e.Steps = "aborted", r, &now, records, max(0, records-1)
	if err := s.UpdateEpisode(ctx, e); err != nil {
		return fmt.Errorf("close episode %s: %w", e.ID, err)
	}
	return nil
}
