package http_test

import (
	"context"
	"errors"
	"fmt"

	"sharpie/persistence"
)

// goAway makes the store unavailable, or brings it back.
func (a *awayStore) goAway(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
}

func (a *awayStore) err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away {
		return fmt.Errorf("%w: %w", persistence.ErrUnavailable, errors.New("dial tcp 10.1.2.3:27017: connection refused"))
	}
	return nil
}

// The calls that pages make first.

func (a *awayStore) Ping(ctx context.Context) error { return orAway(a, a.Store.Ping(ctx)) }

func orAway(a *awayStore, err error) error {
	if e := a.err(); e != nil {
		return e
	}
	return err
}

func (a *awayStore) Login(ctx context.Context, hash string) (*persistence.Login, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return a.Store.Login(ctx, hash)
}

func (a *awayStore) RunnerKeys(ctx context.Context) ([]*persistence.RunnerKey, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return a.Store.RunnerKeys(ctx)
}

func (a *awayStore) LatestExperiments(ctx context.Context) ([]*persistence.Experiment, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return a.Store.LatestExperiments(ctx)
}

func (a *awayStore) LatestExperiment(ctx context.Context, link string) (*persistence.Experiment, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return a.Store.LatestExperiment(ctx, link)
}

func (a *awayStore) ExperimentVersion(ctx context.Context, link string, version int) (*persistence.Experiment, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return a.Store.ExperimentVersion(ctx, link, version)
}

func (a *awayStore) ParticipantsOf(ctx context.Context, id persistence.UserID) ([]*persistence.Participant, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return a.Store.ParticipantsOf(ctx, id)
}

func (a *awayStore) Session(ctx context.Context, id persistence.SessionID) (*persistence.Session, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return a.Store.Session(ctx, id)
}

func (a *awayStore) UserByName(ctx context.Context, name string) (*persistence.User, error) {
	if err := a.err(); err != nil {
		return nil, err
	}
	return a.Store.UserByName(ctx, name)
}
