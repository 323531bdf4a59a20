package system

import (
	"context"
	"crypto/sha256"
	littleendian "encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"

	"sharpie/actors/frames"
	"sharpie/actors/runner"
	"sharpie/envs"
	"sharpie/envs/builtin"
	"sharpie/experiments"
	"sharpie/persistence"
)

// saw proves that everything which a page showed is stored, and that each picture is
// the one of its step: the stored actions, replayed, draw it.
func (p *proof) saw(d *diary, attempts []*attempt) {
	next := 0 // a page never goes back to an earlier attempt
	for i, part := range parts(d.shown) {
		first := part[0]
		at := next
		if before := parts(d.shown); i > 0 {
			if last := before[i-1][0]; last.life == first.life && last.episode == first.episode {
				at++ // the steps began anew, so it is another attempt
			}
		}
		var why error
		found := false
		for ; at < len(attempts) && !found; at++ {
			if attempts[at].Index != first.episode {
				continue
			}
			pictures, anew, err := p.fits(part, attempts[at])
			if err != nil {
				why = errors.Join(why, err)
				continue
			}
			found, next = true, at
			p.pictures += pictures
			p.anew += anew
			break
		}
		if !found && !p.shortBeforeDeath(part[0]) {
			p.bad("%s saw episode %d, steps %d to %d, and no attempt fits: %v", d.who, first.episode, first.step, part[len(part)-1].step, why)
		}
	}
}

// parts are the pictures between two moments where the steps began anew, or the server.
func parts(all []shown) [][]shown {
	var out [][]shown
	for i, s := range all {
		if i == 0 || all[i-1].life != s.life || all[i-1].episode != s.episode || all[i-1].step > s.step {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], s)
	}
	return out
}

// fits compares pictures with an attempt.
func (p *proof) fits(part []shown, a *attempt) (pictures, anew int, err error) {
	if a.Replayable && a.pictures == nil {
		if a.pictures, err = p.replay(a); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", a, err)
		}
	}
	for _, s := range part {
		switch {
		case !a.Replayable && s.step < a.records: // there is nothing to compare it with
		case s.step < int64(len(a.pictures)) && a.pictures[s.step] == s.picture:
			pictures++
		case p.shortBeforeDeath(s) && p.playedAnew(a, s):
			anew++
		case s.step >= a.records:
			return 0, 0, fmt.Errorf("%s: step %d was shown at %s, and the last that is stored is %d", a, s.step, s.at.Format("05.000"), a.records-1)
		default:
			return 0, 0, fmt.Errorf("%s: the picture of step %d, shown at %s, is not that of the stored step", a, s.step, s.at.Format("05.000"))
		}
	}
	return pictures, anew, nil
}

// shortBeforeDeath: the server was killed before it can have stored it for certain.
func (p *proof) shortBeforeDeath(s shown) bool {
	return s.life < len(p.deaths)-1 && p.deaths[s.life].Sub(s.at) < unstoredFor
}

// playedAnew: the step came after the last one that the next server found.
func (p *proof) playedAnew(a *attempt, s shown) bool {
	for _, r := range a.Runs {
		if r.At.After(p.deaths[s.life]) {
			return s.step > r.FromStep
		}
	}
	return a.Status == "aborted" && s.step >= a.records
}

// replay draws the pictures of all stored steps, and compares the observations again.
func (p *proof) replay(a *attempt) ([]picture, error) {
	if a.records == 0 {
		return []picture{}, nil
	}
	stored, err := p.store.ExperimentVersion(p.t.Context(), a.Experiment, a.ExperimentVersion)
	if err != nil {
		return nil, err
	}
	definition, err := experiments.FromDocument(stored.Definition)
	if err != nil {
		return nil, err
	}
	env, err := builtin.Registry().Make(definition.Environment.Source, definition.Environment.Kwargs)
	if err != nil {
		return nil, err
	}
	defer env.Close()
	recording, err := runner.NewRecording(definition, env.Spec())
	if err != nil {
		return nil, err
	}
	var pictures []picture
	encoder, newest := frames.NewEncoder(), picture{}
	for hash, err := range runner.Replay(context.Background(), env, uint64(a.Seed), a.given(recording)) {
		step := len(pictures)
		if err != nil {
			return nil, err
		}
		if want := littleendian.LittleEndian.Uint64(a.hashes[8*step:]); hash != want {
			return nil, fmt.Errorf("step %d, replayed, has other observations", step)
		}
		frame, err := env.Render(context.Background())
		if err != nil {
			return nil, err
		}
		_, data, changed, err := encoder.Encode(frame)
		if err != nil {
			return nil, err
		}
		if changed {
			newest = sha256.Sum256(data)
		}
		pictures = append(pictures, newest)
	}
	return pictures, nil
}

// given yields the final actions of each step, from the first on.
func (a *attempt) given(recording *runner.Recording) iter.Seq2[[]envs.RoleAction, error] {
	return func(yield func([]envs.RoleAction, error) bool) {
		for _, stored := range a.actions[1:] {
			actions := make([]envs.Value, len(stored))
			for r, v := range stored {
				if v == nil {
					continue
				}
				var err error
				if actions[r], err = envs.FromDocument(recording.Space(r), v); err != nil {
					yield(nil, err)
					return
				}
			}
			if !yield(recording.Actions(actions), nil) {
				return
			}
		}
	}
}

// pressed proves that what is stored was pressed, and that every input of which the
// page was told that a step has used it is stored, once.
func (p *proof) pressed(d *diary, attempts []*attempt) {
	type key struct{ seq, clientTime int64 }
	sents := map[key]sent{}
	for _, s := range d.sent {
		sents[key{s.seq, s.clientTime}] = s
	}
	stored := map[int64][]sent{} // by number
	newest := map[int]int64{}    // time of the newest stored input, by life
	for _, a := range attempts {
		for _, in := range a.inputs[d.role] {
			s, ok := sents[key{in.Seq, in.ClientAt.UnixMicro()}]
			switch {
			case !ok:
				p.bad("%s: input %d of %s, of %s, is stored, and %s never sent it", a, in.Seq, d.role, in.ClientAt.Format("05.000000"), d.who)
				continue
			case !slices.Equal(s.keys, in.Keys) || s.stepSeen != in.StepSeen:
				p.bad("%s: input %d of %s is stored with keys %v at step %d, and was sent with %v at step %d", a, in.Seq, d.role, in.Keys, in.StepSeen, s.keys, s.stepSeen)
			}
			delete(sents, key{in.Seq, in.ClientAt.UnixMicro()}) // a second one was not sent
			stored[in.Seq] = append(stored[in.Seq], s)
			newest[s.life] = max(newest[s.life], s.clientTime)
		}
	}
	for _, u := range d.told {
		n := slices.IndexFunc(stored[u.seq], func(s sent) bool { return s.clientTime <= u.at.UnixMicro() })
		switch {
		case n >= 0:
			p.inputs++
		case p.shortBeforeDeath(shown{visit: u.visit, at: u.at}) && newest[u.life] < u.at.UnixMicro():
		default:
			p.bad("%s was told at %s that input %d was used, and no step has it", d.who, u.at.Format("05.000"), u.seq)
		}
	}
}

// of is the episodes of a session, in order, for what a test expects of them.
func (p *proof) of(st *stay) []*persistence.Episode { return p.kept[st.diary.session] }
