package actors

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"sharpie/actors/play"
	"sharpie/experiments"
	"sharpie/persistence"
)

// Whatever people, runners and the store do: nobody shares a seat, nothing hangs,
// every slot comes back, every session is closed in the store, no step is missing.
func TestChaos(t *testing.T) {
	policies := []experiments.DropOut{experiments.DropOutPause, experiments.DropOutAI, experiments.DropOutContinue, experiments.DropOutAbort}
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inTheatre(t, 3, func(th *theatre) {
				c := &chaos{th: th, rng: rand.New(rand.NewPCG(seed, 1)), def: definition(2, onDropOut(policies[seed%4]), func(d *experiments.Definition) { d.Experiment.NumberOfEpisodes = 2 })}
				for range 20 {
					c.people = append(c.people, &person{th: th, id: persistence.ParticipantID(fmt.Sprintf("p%d", len(c.people)))})
				}
				for range 600 {
					c.act()
					wait(time.Duration(c.rng.IntN(2000)) * time.Millisecond)
					c.checkSeats()
				}
				th.store.setAway(nil)
				for _, p := range c.people {
					c.leave(p)
				}
				wait(30 * time.Minute)
				c.checkEnd()
			})
		})
	}
}

type chaos struct {
	th     *theatre
	rng    *rand.Rand
	def    *experiments.Definition
	people []*person
}

// act does one thing that happens in practice.
func (c *chaos) act() {
	p := c.people[c.rng.IntN(len(c.people))]
	switch c.rng.IntN(12) {
	case 0, 1, 2:
		c.join(p)
	case 3:
		if p.conn != nil {
			p.drop()
		}
	case 4:
		c.leave(p)
	case 5, 6:
		if p.conn != nil {
			p.seq++
			_ = p.send(&play.ClientMessage{Kind: &play.ClientMessage_Input{Input: &play.Input{Seq: p.seq, Keys: []string{"a"}}}})
		}
	case 7, 8, 9:
		c.puppets(func(r *puppet) { r.advance(1 + c.rng.IntN(20)) })
	case 10:
		c.puppets(func(r *puppet) {
			if c.rng.IntN(4) == 0 {
				r.root.Stop(r.pid)
				return
			}
			r.end()
		})
	case 11:
		var err error
		if c.rng.IntN(2) == 0 {
			err = persistence.ErrUnavailable
		}
		c.th.store.setAway(err)
	}
	synctest.Wait()
}

// puppets does something with one of the runners that were given an episode.
func (c *chaos) puppets(do func(*puppet)) {
	c.th.mu.Lock()
	all := append([]*puppet(nil), c.th.puppets...)
	c.th.mu.Unlock()
	r := all[c.rng.IntN(len(all))]
	if on(r, func(p *puppet) bool { return len(p.starts) > 0 }) {
		do(r)
	}
}

func (c *chaos) join(p *person) {
	ticket, err := c.th.sys.Join(c.th.t.Context(), request(c.def, string(p.id)))
	if err != nil {
		c.th.t.Errorf("%s joins: %v", p.id, err)
		return
	}
	p.ticket = ticket
	if c.rng.IntN(8) == 0 {
		return // the page is closed before its socket opens
	}
	conn, err := c.th.sys.Attach(c.th.t.Context(), ticket.Session, p.id)
	if err != nil {
		if !errors.Is(err, ErrGone) && !errors.Is(err, ErrNotYours) {
			c.th.t.Errorf("%s attaches: %v", p.id, err)
		}
		return
	}
	p.conn = conn
	go p.read(conn)
}

func (c *chaos) leave(p *person) {
	if p.ticket.Session == "" {
		return
	}
	err := c.th.sys.Leave(c.th.t.Context(), p.ticket.Session, p.id)
	if err != nil && !errors.Is(err, ErrGone) && !errors.Is(err, ErrNotYours) {
		c.th.t.Errorf("%s leaves: %v", p.id, err)
	}
	p.ticket, p.conn = Ticket{}, nil
}

// checkSeats: nobody sits in two sessions, unless one of them has ended.
func (c *chaos) checkSeats() {
	all, err := c.th.sys.Sessions(c.th.t.Context())
	if err != nil {
		c.th.t.Fatal(err)
	}
	where := map[persistence.ParticipantID]persistence.SessionID{}
	for _, v := range all {
		if phase(v.Phase).final() {
			continue
		}
		for _, s := range v.Seats {
			if s.Participant == "" || s.Left {
				continue
			}
			if other, ok := where[s.Participant]; ok {
				c.th.t.Errorf("%s sits in %s and in %s, or twice in one", s.Participant, other, v.ID)
			}
			where[s.Participant] = v.ID
		}
	}
}

// checkEnd: everybody has left; nothing may be left over.
func (c *chaos) checkEnd() {
	t := c.th.t
	h := c.th.sys.Health(t.Context())
	if h.Sessions != 0 || h.Waiting != 0 || h.FreeSlots != 3 || h.Slots != 3 || h.UnstoredSteps != 0 {
		t.Errorf("after everybody left: %+v", h)
	}
	if v, err := c.th.sys.Sessions(t.Context()); len(v) != 0 || err != nil {
		t.Errorf("%d sessions are left over, %v: %+v", len(v), err, v)
	}
	if n := c.th.sys.cast.counts.connected.Load(); n != 0 {
		t.Errorf("%d sockets count as connected", n)
	}
	c.th.store.mu.Lock()
	sessions, episodes := c.th.store.sessions, c.th.store.episodes
	c.th.store.mu.Unlock()
	for id, s := range sessions {
		if !s.Finished || !phase(s.Phase).final() || s.Reason.Code == "" || s.Reason.Code == "internal" {
			t.Errorf("session %s is stored as %s %+v, finished %v", id, s.Phase, s.Reason, s.Finished)
		}
	}
	for id, e := range episodes {
		steps := c.th.store.steps(id)
		for i, n := range steps {
			if n != int64(i) {
				t.Errorf("episode %s has step %d where %d is due", id, n, i)
				break
			}
		}
		if e.Status == "running" || int64(len(steps)) != e.Steps+1 || e.StoredSteps != e.Steps+1 {
			t.Errorf("episode %s is %s with %d steps, %d records stored, %d counted", id, e.Status, e.Steps, len(steps), e.StoredSteps)
		}
	}
	reasons := map[string]int{}
	for _, s := range sessions {
		reasons[s.Reason.Code]++
	}
	t.Logf("%d episodes, sessions ended with %v, events %v", len(episodes), reasons, c.th.store.kinds())
	if len(sessions) < 10 || len(episodes) < 5 {
		t.Errorf("only %d sessions and %d episodes came about: the test tests little", len(sessions), len(episodes))
	}
}
