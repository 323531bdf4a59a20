package system

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"sharpie/persistence"
)

// A proof that sees nothing proves nothing: each thing that may go wrong is made up, and
// has to be found.
func TestTheProofFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	l := openLab(t, "", []game{{link: "squares", kind: "squares", rounds: 1, steps: 60}})
	l.node("a")
	st := l.play("squares", l.crew(1)...)[0]
	st.finished()
	store := l.close()
	stored, err := store.EpisodesOf(t.Context(), st.diary.session)
	if err != nil || len(stored) != 1 {
		t.Fatalf("%d episodes, %v", len(stored), err)
	}
	for name, x := range map[string]struct {
		spoil func(d *diary, a *attempt)
		want  string // "" for nothing
	}{
		"nothing":                        {func(*diary, *attempt) {}, ""},
		"another picture":                {func(d *diary, _ *attempt) { d.shown[9].picture[3]++ }, "is not that of the stored step"},
		"a step that is not stored":      {func(d *diary, _ *attempt) { d.shown[len(d.shown)-1].step++ }, "and the last that is stored is 60"},
		"a step of another name":         {func(d *diary, _ *attempt) { d.shown[9].step = d.shown[8].step }, "is not that of the stored step"},
		"steps that begin anew":          {func(d *diary, _ *attempt) { d.shown = slices.Concat(d.shown, d.shown[:5]) }, "no attempt fits"},
		"a used input that is not there": {func(d *diary, _ *attempt) { d.told[5].seq += 1000 }, "and no step has it"},
		"an input that nobody sent":      {func(d *diary, _ *attempt) { d.sent = d.sent[5:] }, "never sent it"},
		"an input with other keys":       {func(d *diary, _ *attempt) { d.sent[5].keys = []string{"x"} }, "is stored with keys"},
		"an input that is stored twice": {func(d *diary, a *attempt) {
			a.inputs[d.role] = slices.Insert(a.inputs[d.role], 6, a.inputs[d.role][5])
		}, "never sent it"},
		"other actions": {func(_ *diary, a *attempt) {
			for i := 20; i < 30; i++ {
				a.actions[i][0] = (a.actions[i][0].(int64) + 1) % 5
			}
		}, "has other observations"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProof(l, store)
			p.t = t
			a := p.attempt(stored[0])
			d := &diary{who: st.diary.who, session: st.diary.session, role: st.diary.role,
				shown: slices.Clone(st.diary.shown), told: slices.Clone(st.diary.told), sent: slices.Clone(st.diary.sent)}
			x.spoil(d, a)
			p.saw(d, []*attempt{a})
			p.pressed(d, []*attempt{a})
			p.found(x.want)
		})
	}
	for name, x := range map[string]struct {
		spoil func(all []*persistence.StepChunk) []*persistence.StepChunk
		want  string
	}{
		"a chunk that is missing":     {func(all []*persistence.StepChunk) []*persistence.StepChunk { return slices.Delete(all, 1, 2) }, "has no steps"},
		"a chunk that is there twice": {func(all []*persistence.StepChunk) []*persistence.StepChunk { return slices.Insert(all, 1, all[0]) }, "twice"},
		"no last chunk":               {func(all []*persistence.StepChunk) []*persistence.StepChunk { return all[:len(all)-1] }, "so 61 records"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProof(l, spoilt{store, x.spoil})
			p.t = t
			p.attempt(stored[0])
			p.found(x.want)
		})
	}
	for name, x := range map[string]struct {
		spoil func(e *persistence.Episode)
		want  string
	}{
		"a count that is wrong":  {func(e *persistence.Episode) { e.StoredSteps-- }, "and says that it has"},
		"an end that is missing": {func(e *persistence.Episode) { e.Steps++ }, "records, and 61 are stored"},
		"an end without a word":  {func(e *persistence.Episode) { e.Status = "aborted" }, "nothing says why"},
		"no end":                 {func(e *persistence.Episode) { e.Status = "running" }, "after the server has ended"},
		"a run without a name":   {func(e *persistence.Episode) { e.Runs = []persistence.Run{{FromStep: 3}} }, "does not say who"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProof(l, store)
			p.t = t
			e := *stored[0]
			x.spoil(&e)
			p.attempt(&e)
			p.found(x.want)
		})
	}
}

// spoilt is a store with something done to the steps of every episode.
type spoilt struct {
	persistence.Store
	spoil func([]*persistence.StepChunk) []*persistence.StepChunk
}

// StepChunks implements persistence.Store.
func (s spoilt) StepChunks(ctx context.Context, id persistence.EpisodeID) iter.Seq2[*persistence.StepChunk, error] {
	return func(yield func(*persistence.StepChunk, error) bool) {
		var all []*persistence.StepChunk
		for c, err := range s.Store.StepChunks(ctx, id) {
			if err != nil {
				yield(nil, err)
				return
			}
			all = append(all, c)
		}
		for _, c := range s.spoil(all) {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// found wants something to be wrong, or nothing where the text is empty.
func (p *proof) found(want string) {
	p.t.Helper()
	all := strings.Join(p.wrong, "\n")
	if want == "" && all != "" || want != "" && !strings.Contains(all, want) {
		p.t.Errorf("the proof found %q, want %q", all, want)
	}
}
