package faulty

import (
	"context"
	"iter"
	"time"

	"sharpie/persistence"
)

// Ping implements persistence.Store.
func (f *Store) Ping(ctx context.Context) error {
	return f.write(ctx, func() error { return f.Store.Ping(ctx) })
}

// InsertUser implements persistence.Store.
func (f *Store) InsertUser(ctx context.Context, u *persistence.User) error {
	return f.write(ctx, func() error { return f.Store.InsertUser(ctx, u) })
}

// UpdateUser implements persistence.Store.
func (f *Store) UpdateUser(ctx context.Context, u *persistence.User) error {
	return f.write(ctx, func() error { return f.Store.UpdateUser(ctx, u) })
}

// User implements persistence.Store.
func (f *Store) User(ctx context.Context, id persistence.UserID) (*persistence.User, error) {
	return read(ctx, f, func() (*persistence.User, error) { return f.Store.User(ctx, id) })
}

// UserByName implements persistence.Store.
func (f *Store) UserByName(ctx context.Context, name string) (*persistence.User, error) {
	return read(ctx, f, func() (*persistence.User, error) { return f.Store.UserByName(ctx, name) })
}

// Users implements persistence.Store.
func (f *Store) Users(ctx context.Context, page persistence.Page) ([]*persistence.User, error) {
	return read(ctx, f, func() ([]*persistence.User, error) { return f.Store.Users(ctx, page) })
}

// CountAdmins implements persistence.Store.
func (f *Store) CountAdmins(ctx context.Context) (int, error) {
	return read(ctx, f, func() (int, error) { return f.Store.CountAdmins(ctx) })
}

// InsertLogin implements persistence.Store.
func (f *Store) InsertLogin(ctx context.Context, l *persistence.Login) error {
	return f.write(ctx, func() error { return f.Store.InsertLogin(ctx, l) })
}

// Login implements persistence.Store.
func (f *Store) Login(ctx context.Context, tokenHash string) (*persistence.Login, error) {
	return read(ctx, f, func() (*persistence.Login, error) { return f.Store.Login(ctx, tokenHash) })
}

// DeleteLogin implements persistence.Store.
func (f *Store) DeleteLogin(ctx context.Context, tokenHash string) error {
	return f.write(ctx, func() error { return f.Store.DeleteLogin(ctx, tokenHash) })
}

// DeleteLoginsOf implements persistence.Store.
func (f *Store) DeleteLoginsOf(ctx context.Context, id persistence.UserID) error {
	return f.write(ctx, func() error { return f.Store.DeleteLoginsOf(ctx, id) })
}

// InsertOneTimeLink implements persistence.Store.
func (f *Store) InsertOneTimeLink(ctx context.Context, l *persistence.OneTimeLink) error {
	return f.write(ctx, func() error { return f.Store.InsertOneTimeLink(ctx, l) })
}

// UseOneTimeLink implements persistence.Store.
func (f *Store) UseOneTimeLink(ctx context.Context, tokenHash string, now time.Time) (v *persistence.OneTimeLink, err error) {
	err = f.write(ctx, func() error {
		v, err = f.Store.UseOneTimeLink(ctx, tokenHash, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// EnsureParticipant implements persistence.Store.
func (f *Store) EnsureParticipant(ctx context.Context, user persistence.UserID, link string, now time.Time) (v *persistence.Participant, err error) {
	err = f.write(ctx, func() error {
		v, err = f.Store.EnsureParticipant(ctx, user, link, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// UpdateParticipant implements persistence.Store.
func (f *Store) UpdateParticipant(ctx context.Context, p *persistence.Participant) error {
	return f.write(ctx, func() error { return f.Store.UpdateParticipant(ctx, p) })
}

// Participant implements persistence.Store.
func (f *Store) Participant(ctx context.Context, id persistence.ParticipantID) (*persistence.Participant, error) {
	return read(ctx, f, func() (*persistence.Participant, error) { return f.Store.Participant(ctx, id) })
}

// ParticipantsOf implements persistence.Store.
func (f *Store) ParticipantsOf(ctx context.Context, user persistence.UserID) ([]*persistence.Participant, error) {
	return read(ctx, f, func() ([]*persistence.Participant, error) { return f.Store.ParticipantsOf(ctx, user) })
}

// ParticipantsOfExperiment implements persistence.Store.
func (f *Store) ParticipantsOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Participant, error] {
	return stream(ctx, f, f.Store.ParticipantsOfExperiment(ctx, link))
}

// InsertConsent implements persistence.Store.
func (f *Store) InsertConsent(ctx context.Context, c *persistence.Consent) error {
	return f.write(ctx, func() error { return f.Store.InsertConsent(ctx, c) })
}

// ConsentFor implements persistence.Store.
func (f *Store) ConsentFor(ctx context.Context, user persistence.UserID, link, textHash string) (*persistence.Consent, error) {
	return read(ctx, f, func() (*persistence.Consent, error) { return f.Store.ConsentFor(ctx, user, link, textHash) })
}

// ConsentsOf implements persistence.Store.
func (f *Store) ConsentsOf(ctx context.Context, user persistence.UserID) ([]*persistence.Consent, error) {
	return read(ctx, f, func() ([]*persistence.Consent, error) { return f.Store.ConsentsOf(ctx, user) })
}

// WithdrawConsent implements persistence.Store.
func (f *Store) WithdrawConsent(ctx context.Context, id string, at time.Time) error {
	return f.write(ctx, func() error { return f.Store.WithdrawConsent(ctx, id, at) })
}

// InsertResponse implements persistence.Store.
func (f *Store) InsertResponse(ctx context.Context, r *persistence.Response) error {
	return f.write(ctx, func() error { return f.Store.InsertResponse(ctx, r) })
}

// ImportExperiment implements persistence.Store.
func (f *Store) ImportExperiment(ctx context.Context, e *persistence.Experiment) (v *persistence.Experiment, isNew bool, err error) {
	err = f.write(ctx, func() error {
		v, isNew, err = f.Store.ImportExperiment(ctx, e)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return v, isNew, nil
}

// LatestExperiments implements persistence.Store.
func (f *Store) LatestExperiments(ctx context.Context) ([]*persistence.Experiment, error) {
	return read(ctx, f, func() ([]*persistence.Experiment, error) { return f.Store.LatestExperiments(ctx) })
}

// LatestExperiment implements persistence.Store.
func (f *Store) LatestExperiment(ctx context.Context, link string) (*persistence.Experiment, error) {
	return read(ctx, f, func() (*persistence.Experiment, error) { return f.Store.LatestExperiment(ctx, link) })
}

// ExperimentVersion implements persistence.Store.
func (f *Store) ExperimentVersion(ctx context.Context, link string, version int) (*persistence.Experiment, error) {
	return read(ctx, f, func() (*persistence.Experiment, error) { return f.Store.ExperimentVersion(ctx, link, version) })
}

// ExperimentVersions implements persistence.Store.
func (f *Store) ExperimentVersions(ctx context.Context, link string) ([]*persistence.Experiment, error) {
	return read(ctx, f, func() ([]*persistence.Experiment, error) { return f.Store.ExperimentVersions(ctx, link) })
}

// SetExperimentEnabled implements persistence.Store.
func (f *Store) SetExperimentEnabled(ctx context.Context, link string, enabled bool) error {
	return f.write(ctx, func() error { return f.Store.SetExperimentEnabled(ctx, link, enabled) })
}

// InsertBundle implements persistence.Store.
func (f *Store) InsertBundle(ctx context.Context, b *persistence.Bundle) error {
	return f.write(ctx, func() error { return f.Store.InsertBundle(ctx, b) })
}

// Bundle implements persistence.Store.
func (f *Store) Bundle(ctx context.Context, hash string) (*persistence.Bundle, error) {
	return read(ctx, f, func() (*persistence.Bundle, error) { return f.Store.Bundle(ctx, hash) })
}

// InsertSession implements persistence.Store.
func (f *Store) InsertSession(ctx context.Context, s *persistence.Session) error {
	return f.write(ctx, func() error { return f.Store.InsertSession(ctx, s) })
}

// UpdateSession implements persistence.Store.
func (f *Store) UpdateSession(ctx context.Context, s *persistence.Session) error {
	return f.write(ctx, func() error { return f.Store.UpdateSession(ctx, s) })
}

// Session implements persistence.Store.
func (f *Store) Session(ctx context.Context, id persistence.SessionID) (*persistence.Session, error) {
	return read(ctx, f, func() (*persistence.Session, error) { return f.Store.Session(ctx, id) })
}

// Sessions implements persistence.Store.
func (f *Store) Sessions(ctx context.Context, filter persistence.SessionFilter, page persistence.Page) ([]*persistence.Session, error) {
	return read(ctx, f, func() ([]*persistence.Session, error) { return f.Store.Sessions(ctx, filter, page) })
}

// UnfinishedSessions implements persistence.Store.
func (f *Store) UnfinishedSessions(ctx context.Context, node string) ([]*persistence.Session, error) {
	return read(ctx, f, func() ([]*persistence.Session, error) { return f.Store.UnfinishedSessions(ctx, node) })
}

// SessionsOfExperiment implements persistence.Store.
func (f *Store) SessionsOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Session, error] {
	return stream(ctx, f, f.Store.SessionsOfExperiment(ctx, link))
}

// InsertEpisode implements persistence.Store.
func (f *Store) InsertEpisode(ctx context.Context, e *persistence.Episode) error {
	return f.write(ctx, func() error { return f.Store.InsertEpisode(ctx, e) })
}

// UpdateEpisode implements persistence.Store.
func (f *Store) UpdateEpisode(ctx context.Context, e *persistence.Episode) error {
	return f.write(ctx, func() error { return f.Store.UpdateEpisode(ctx, e) })
}

// Episode implements persistence.Store.
func (f *Store) Episode(ctx context.Context, id persistence.EpisodeID) (*persistence.Episode, error) {
	return read(ctx, f, func() (*persistence.Episode, error) { return f.Store.Episode(ctx, id) })
}

// EpisodesOf implements persistence.Store.
func (f *Store) EpisodesOf(ctx context.Context, id persistence.SessionID) ([]*persistence.Episode, error) {
	return read(ctx, f, func() ([]*persistence.Episode, error) { return f.Store.EpisodesOf(ctx, id) })
}

// EpisodesOfExperiment implements persistence.Store.
func (f *Store) EpisodesOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Episode, error] {
	return stream(ctx, f, f.Store.EpisodesOfExperiment(ctx, link))
}

// InsertCheckpoint implements persistence.Store.
func (f *Store) InsertCheckpoint(ctx context.Context, c *persistence.Checkpoint) error {
	return f.write(ctx, func() error { return f.Store.InsertCheckpoint(ctx, c) })
}

// LatestCheckpoint implements persistence.Store.
func (f *Store) LatestCheckpoint(ctx context.Context, scope, role, policy string) (*persistence.Checkpoint, error) {
	return read(ctx, f, func() (*persistence.Checkpoint, error) { return f.Store.LatestCheckpoint(ctx, scope, role, policy) })
}

// InsertStepChunks implements persistence.Store.
func (f *Store) InsertStepChunks(ctx context.Context, chunks []*persistence.StepChunk) error {
	return f.write(ctx, func() error { return f.Store.InsertStepChunks(ctx, chunks) })
}

// StepChunks implements persistence.Store.
func (f *Store) StepChunks(ctx context.Context, id persistence.EpisodeID) iter.Seq2[*persistence.StepChunk, error] {
	return stream(ctx, f, f.Store.StepChunks(ctx, id))
}

// InsertEvents implements persistence.Store.
func (f *Store) InsertEvents(ctx context.Context, events []*persistence.Event) error {
	return f.write(ctx, func() error { return f.Store.InsertEvents(ctx, events) })
}

// Events implements persistence.Store.
func (f *Store) Events(ctx context.Context, filter persistence.EventFilter, page persistence.Page) ([]*persistence.Event, error) {
	return read(ctx, f, func() ([]*persistence.Event, error) { return f.Store.Events(ctx, filter, page) })
}

// EventsOf implements persistence.Store.
func (f *Store) EventsOf(ctx context.Context, id persistence.SessionID) iter.Seq2[*persistence.Event, error] {
	return stream(ctx, f, f.Store.EventsOf(ctx, id))
}

// UpsertRunner implements persistence.Store.
func (f *Store) UpsertRunner(ctx context.Context, r *persistence.Runner) error {
	return f.write(ctx, func() error { return f.Store.UpsertRunner(ctx, r) })
}

// Runners implements persistence.Store.
func (f *Store) Runners(ctx context.Context) ([]*persistence.Runner, error) {
	return read(ctx, f, func() ([]*persistence.Runner, error) { return f.Store.Runners(ctx) })
}

// InsertRunnerKey implements persistence.Store.
func (f *Store) InsertRunnerKey(ctx context.Context, k *persistence.RunnerKey) error {
	return f.write(ctx, func() error { return f.Store.InsertRunnerKey(ctx, k) })
}

// RunnerKeys implements persistence.Store.
func (f *Store) RunnerKeys(ctx context.Context) ([]*persistence.RunnerKey, error) {
	return read(ctx, f, func() ([]*persistence.RunnerKey, error) { return f.Store.RunnerKeys(ctx) })
}

// RevokeRunnerKey implements persistence.Store.
func (f *Store) RevokeRunnerKey(ctx context.Context, id string, at time.Time) error {
	return f.write(ctx, func() error { return f.Store.RevokeRunnerKey(ctx, id, at) })
}

// TouchRunnerKey implements persistence.Store.
func (f *Store) TouchRunnerKey(ctx context.Context, id, node string, at time.Time) error {
	return f.write(ctx, func() error { return f.Store.TouchRunnerKey(ctx, id, node, at) })
}
