package system

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sharpie/persistence"
)

// proof compares what is stored, once the server has ended, with what people's pages
// saw and sent: nothing is lost, nothing is there twice, and everything that did not
// end by itself says why.
type proof struct {
	t     testing.TB
	store persistence.Store
	// deaths is when each life of the server ended. What was shown in the moments
	// before and was not stored yet may be played anew; nothing else may be.
	deaths []time.Time
	wrong  []string

	sessions, episodes, pictures, inputs, anew int
	steps                                      int64
	events                                     map[string]int
	ends                                       map[string]int // sessions, by the code of their reason
	restarts                                   map[string]int // rounds that began again, by why
	kept                                       map[persistence.SessionID][]*persistence.Episode
}

// unstoredFor is how long before the death of a server a step may have been shown
// that is not stored: chunks are written every second, on a machine that is busy.
const unstoredFor = 5 * time.Second

func newProof(l *lab, store persistence.Store) *proof {
	return &proof{
		t: l.t, store: store, deaths: l.deaths, events: map[string]int{}, ends: map[string]int{}, restarts: map[string]int{},
		kept: map[persistence.SessionID][]*persistence.Episode{},
	}
}

// prove looks at every session that has a diary, and at all of these experiments.
func (l *lab) prove(links ...string) *proof {
	l.t.Helper()
	store := l.close()
	p := newProof(l, store)
	diaries := map[persistence.SessionID][]*diary{}
	for _, st := range l.stays {
		diaries[st.diary.session] = append(diaries[st.diary.session], st.diary)
	}
	for _, link := range links {
		for x, err := range store.SessionsOfExperiment(l.t.Context(), link) {
			if err != nil {
				l.t.Fatal(err)
			}
			p.session(x, diaries[x.ID])
			delete(diaries, x.ID)
		}
	}
	p.nodes()
	for id := range diaries {
		p.bad("session %s is not stored at all", id)
	}
	if err := store.Close(); err != nil { // verify opens it
		l.t.Fatal(err)
	}
	for _, link := range links {
		l.verifyAll(link)
	}
	for _, w := range p.wrong[:min(len(p.wrong), 20)] {
		l.t.Error(w)
	}
	if len(p.wrong) > 20 {
		l.t.Errorf("and %d more", len(p.wrong)-20)
	}
	l.t.Log(p)
	return p
}

// nodes: every node that played is on record, with what became of it.
func (p *proof) nodes() {
	known := map[persistence.RunnerID]bool{}
	all, err := p.store.Runners(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range all {
		known[r.ID] = true
	}
	for _, episodes := range p.kept {
		for _, e := range episodes {
			for _, id := range append([]persistence.RunnerID{e.Runner}, runnersOf(e)...) {
				if strings.Contains(string(id), ".") && !known[id] {
					p.bad("episode %s was played by %s, which is not among the nodes that are stored", e.ID, id)
				}
			}
		}
	}
	joined, err := p.store.Events(p.t.Context(), persistence.EventFilter{Kind: "node.joined"}, persistence.Page{Limit: 1})
	if err != nil {
		p.t.Fatal(err)
	}
	if len(all) > 0 && len(joined) == 0 {
		p.bad("%d nodes are stored, and no event says that one joined", len(all))
	}
}

func runnersOf(e *persistence.Episode) []persistence.RunnerID {
	out := make([]persistence.RunnerID, len(e.Runs))
	for i, r := range e.Runs {
		out[i] = r.Runner
	}
	return out
}

// String sums up what was proven.
func (p *proof) String() string {
	return fmt.Sprintf("%d sessions, %d episodes, %d steps are stored; %d pictures and %d used inputs that people saw are those; %d pictures were played anew after the server was killed; hand-overs %v; sessions ended %v; rounds began again %v",
		p.sessions, p.episodes, p.steps, p.pictures, p.inputs, p.anew, p.events, p.ends, p.restarts)
}

func (p *proof) bad(format string, args ...any) {
	p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
}

// session proves one session.
func (p *proof) session(x *persistence.Session, diaries []*diary) {
	p.sessions++
	if !x.Finished || x.Phase != "completed" && x.Phase != "aborted" || x.Reason.Code == "" || x.EndedAt == nil {
		p.bad("session %s is kept as %s, finished %t, ended %v, with reason %q", x.ID, x.Phase, x.Finished, x.EndedAt, x.Reason.Code)
	}
	stored, err := p.store.EpisodesOf(p.t.Context(), x.ID)
	if err != nil {
		p.t.Fatal(err)
	}
	p.kept[x.ID] = stored
	p.ends[x.Reason.Code]++
	var attempts []*attempt
	for _, e := range stored {
		attempts = append(attempts, p.attempt(e))
	}
	p.order(x, attempts)
	resumed := map[persistence.EpisodeID]int{}
	for e, err := range p.store.EventsOf(p.t.Context(), x.ID) {
		if err != nil {
			p.t.Fatal(err)
		}
		switch e.Kind {
		case "runner_away", "runner_back", "runner_lost", "resumed", "not_resumed", "restarted", "server_restarted", "fault", "failed":
			p.events[e.Kind]++
		}
		switch e.Kind {
		case "resumed":
			resumed[e.EpisodeID]++
		case "restarted":
			p.restarts[fmt.Sprint(e.Detail["why"])]++
		}
	}
	for _, a := range attempts {
		if resumed[a.ID] != len(a.Runs) {
			p.bad("%s went on %d times, and names %d runs", a, resumed[a.ID], len(a.Runs))
		}
	}
	for _, d := range diaries {
		p.saw(d, attempts)
		p.pressed(d, attempts)
	}
}

// order: episode after episode, attempt after attempt, each with its reason.
func (p *proof) order(x *persistence.Session, attempts []*attempt) {
	for i, a := range attempts {
		last := i == len(attempts)-1 || attempts[i+1].Index != a.Index
		switch {
		case i == 0 && a.Index != 0, i > 0 && a.Index > attempts[i-1].Index+1:
			p.bad("%s is not preceded by the one before", a)
		case i > 0 && a.Index == attempts[i-1].Index && a.Attempt <= attempts[i-1].Attempt:
			p.bad("%s comes after attempt %d", a, attempts[i-1].Attempt)
		case !last && a.Status != "aborted":
			p.bad("%s is kept as %s, and was begun again", a, a.Status)
		case last && a.Status == "aborted" && x.Phase == "completed":
			p.bad("%s is kept as aborted, and nobody began it again", a)
		}
	}
}

// attempt is an episode as it is stored, with all its steps.
type attempt struct {
	*persistence.Episode
	records  int64
	hashes   []byte
	inputs   map[string][]persistence.HumanInput // by role, in order
	roles    []string
	actions  [][]persistence.Value // by step, then role
	pictures []picture             // by step, replayed; nil before they are needed
}

func (a *attempt) String() string {
	return fmt.Sprintf("episode %d, attempt %d of %s (%s, played by %v from %v)", a.Index, a.Attempt, a.SessionID, a.ID, runs(a.Episode), a.froms())
}

func (a *attempt) froms() []int64 {
	out := []int64{0}
	for _, r := range a.Runs {
		out = append(out, r.FromStep)
	}
	return out
}

// attempt reads an episode and proves what needs no diary.
func (p *proof) attempt(e *persistence.Episode) *attempt {
	p.episodes++
	a := &attempt{Episode: e, inputs: map[string][]persistence.HumanInput{}}
	for c, err := range p.store.StepChunks(p.t.Context(), e.ID) {
		if err != nil {
			p.t.Fatal(err)
		}
		switch {
		case c.First > a.records:
			p.bad("%s has no steps %d to %d", a, a.records, c.First-1)
		case c.First < a.records:
			p.bad("%s has steps %d to %d twice", a, c.First, a.records-1)
		}
		a.add(c)
	}
	p.steps += a.records
	if a.records != e.StoredSteps {
		p.bad("%s has %d records, and says that it has %d", a, a.records, e.StoredSteps)
	}
	if a.records != e.Steps+1 && (a.records > 0 || e.Steps > 0) {
		p.bad("%s has %d steps, so %d records, and %d are stored", a, e.Steps, e.Steps+1, a.records)
	}
	switch e.Status {
	case "terminated", "truncated":
	case "aborted", "failed":
		if e.Reason.Code == "" || e.Reason.Detail == "" && e.Reason.Code == "runner_lost" {
			p.bad("%s is kept as %s, and nothing says why: %+v", a, e.Status, e.Reason)
		}
	default:
		p.bad("%s is kept as %s, after the server has ended", a, e.Status)
	}
	if !slices.IsSorted(a.froms()) {
		p.bad("%s: the runs do not follow each other", a)
	}
	for _, r := range e.Runs {
		if r.FromStep > e.Steps || r.Runner == "" || r.Incarnation == "" || r.Why == "" || r.At.IsZero() {
			p.bad("%s has a run that does not say who, when, from where and why: %+v", a, r)
		}
	}
	for role, inputs := range a.inputs {
		seen := map[int64]bool{}
		for i, in := range inputs {
			if seen[in.Seq] {
				p.bad("%s: input %d of %s is stored twice, the second time at step %d", a, in.Seq, role, in.Step)
			}
			seen[in.Seq] = true
			if i > 0 && (in.Seq < inputs[i-1].Seq || in.Step < inputs[i-1].Step) {
				p.bad("%s: input %d of %s at step %d is stored after input %d at step %d", a, in.Seq, role, in.Step, inputs[i-1].Seq, inputs[i-1].Step)
			}
		}
	}
	return a
}

func (a *attempt) add(c *persistence.StepChunk) {
	a.records = c.First + int64(c.Count)
	a.hashes = append(a.hashes, c.Hashes...)
	a.roles = a.roles[:0]
	for _, r := range c.Roles {
		a.roles = append(a.roles, r.Role)
		a.inputs[r.Role] = append(a.inputs[r.Role], r.Inputs...)
	}
	for i := range c.Count {
		actions := make([]persistence.Value, len(c.Roles))
		for r := range c.Roles {
			if c.Roles[r].Live[i] {
				actions[r] = c.Roles[r].Actions[i]
			}
		}
		a.actions = append(a.actions, actions)
	}
}

// verifyAll runs `sharpie verify`: every episode is whole, and replaying gives the same
// observations.
func (l *lab) verifyAll(link string) {
	l.t.Helper()
	code, said := l.commandWithin(10*time.Minute, "verify", "--experiment", link)
	if code == 0 || strings.Contains(said, "no episode of") {
		return
	}
	var bad []string
	for line := range strings.Lines(said) {
		if strings.Contains(line, "NO") || strings.Contains(line, ": ") {
			bad = append(bad, strings.TrimSpace(line))
		}
	}
	l.t.Errorf("sharpie verify --experiment %s ended with %d:\n%s", link, code, strings.Join(bad, "\n"))
}
