package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"sharpie/actors/runner"
	"sharpie/envs"
	"sharpie/experiments"
	"sharpie/persistence"
)

// verifier looks at stored episodes.
type verifier struct {
	store persistence.Store
	maker experiments.Maker
}

// verify reads the episode's steps, and replays them where that proves
// something. The error is the store's; what is wrong with the episode is in the
// verdict.
func (v *verifier) verify(ctx context.Context, episode *persistence.Episode) (verdict, error) {
	var found verdict
	var unreadable error
	for chunk, err := range v.store.StepChunks(ctx, episode.ID) {
		if err != nil {
			unreadable = err
			break
		}
		switch {
		case found.gap != nil || chunk.First == found.steps:
		case chunk.First < found.steps:
			found.gap = fmt.Errorf("step %d is stored twice", chunk.First)
		default:
			found.gap = fmt.Errorf("steps %d to %d are missing", found.steps, chunk.First-1)
		}
		found.steps = chunk.First + int64(chunk.Count)
	}
	if unreadable != nil {
		return found, unreadable
	}
	if found.gap == nil {
		found.gap = ends(episode, found.steps)
	}
	if found.gap != nil {
		found.unplayable = errors.New("not replayed, because steps are missing")
		return found, nil
	}
	if found.steps == 0 {
		found.unplayable = errors.New("not replayed, because it ended before its first step was stored")
		return found, nil
	}
	env, recording, err := v.stage(ctx, episode)
	if err != nil {
		found.unplayable = fmt.Errorf("not replayed: %w", err)
		return found, nil
	}
	defer env.Close()
	w := &watched{Environment: env}
	if found.mismatch = v.replay(ctx, episode, w, recording); found.mismatch == nil {
		found.unplayable = w.blank
	}
	return found, nil
}

// ends compares the number of stored records with what the episode says.
func ends(episode *persistence.Episode, records int64) error {
	if episode.Status == "running" {
		return nil // more may come
	}
	if want := episode.Steps + 1; records != want && (episode.Steps > 0 || records > 0) {
		return fmt.Errorf("the episode has %d steps, so %d records with step 0, but %d are stored", episode.Steps, want, records)
	}
	return nil
}

// stage makes the environment as it was, or says why that cannot be.
func (v *verifier) stage(ctx context.Context, episode *persistence.Episode) (envs.Environment, *runner.Recording, error) {
	if !episode.Replayable {
		return nil, nil, errors.New("the environment does not promise the same observations for the same seed and actions")
	}
	stored, err := v.store.ExperimentVersion(ctx, episode.Experiment, episode.ExperimentVersion)
	if err != nil {
		return nil, nil, fmt.Errorf("experiment %s, version %d: %w", episode.Experiment, episode.ExperimentVersion, err)
	}
	definition, err := experiments.FromDocument(stored.Definition)
	if err != nil {
		return nil, nil, err
	}
	env, err := v.maker.Environment(ctx, experiments.Order{
		Definition: definition, BundleHash: stored.BundleHash, Seed: uint64(episode.Seed), Label: "verify " + string(episode.ID),
	})
	if err != nil {
		return nil, nil, err
	}
	spec := env.Spec()
	recording, err := runner.NewRecording(definition, spec)
	if err == nil && spec.Version != episode.EnvironmentCode {
		err = fmt.Errorf("the episode was made by version %q of %s, this program has %q", episode.EnvironmentCode, spec.ID, spec.Version)
	}
	if err != nil {
		return nil, nil, errors.Join(err, env.Close())
	}
	return env, recording, nil
}

// replay says at which step the observations differ from the stored ones.
func (v *verifier) replay(ctx context.Context, episode *persistence.Episode, env envs.Environment, recording *runner.Recording) error {
	hashes, stop := iter.Pull2(v.hashes(ctx, episode.ID))
	defer stop()
	step := int64(0)
	for got, err := range runner.Replay(ctx, env, uint64(episode.Seed), v.actions(ctx, episode, recording)) {
		if err != nil {
			return err
		}
		want, err, ok := hashes()
		if !ok || err != nil {
			return errors.Join(fmt.Errorf("step %d: no stored hash", step), err)
		}
		if got != want {
			return fmt.Errorf("step %d: replaying gives other observations (hash %016x, stored is %016x)", step, got, want)
		}
		step++
	}
	return nil
}

// hashes yields the stored observation hashes, step 0 first.
func (v *verifier) hashes(ctx context.Context, id persistence.EpisodeID) iter.Seq2[uint64, error] {
	return func(yield func(uint64, error) bool) {
		for chunk, err := range v.store.StepChunks(ctx, id) {
			if err != nil {
				yield(0, err)
				return
			}
			for i := range chunk.Count {
				if !yield(storedHash(chunk, i), nil) {
					return
				}
			}
		}
	}
}

// actions yields the stored final actions, step 1 first.
func (v *verifier) actions(ctx context.Context, episode *persistence.Episode, recording *runner.Recording) iter.Seq2[[]envs.RoleAction, error] {
	return func(yield func([]envs.RoleAction, error) bool) {
		for chunk, err := range v.store.StepChunks(ctx, episode.ID) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range chunk.Count {
				if chunk.First == 0 && i == 0 {
					continue
				}
				actions := make([]envs.Value, len(chunk.Roles))
				for r := range chunk.Roles {
					role := &chunk.Roles[r]
					if !role.Live[i] || role.Actions[i] == nil {
						continue // it had ended, or it was another role's turn
					}
					if actions[r], err = actionValue(recording.Space(r), role.Actions[i]); err != nil {
						yield(nil, fmt.Errorf("%s: %w", role.Role, err))
						return
					}
				}
				if !yield(recording.Actions(actions), nil) {
					return
				}
			}
		}
	}
}

// actionValue is a stored action as the environment was given it.
func actionValue(space envs.Space, stored persistence.Value) (envs.Value, error) {
	if array, ok := stored.(persistence.Array); ok {
		v := envs.Array{DType: envs.DType(array.DType), Shape: array.Shape, Data: array.Data}
		if err := space.Contains(v); err != nil {
			return nil, fmt.Errorf("stored action: %w", err)
		}
		return v, nil
	}
	v, err := envs.FromDocument(space, stored)
	if err != nil {
		return nil, fmt.Errorf("stored action: %w", err)
	}
	return v, nil
}
