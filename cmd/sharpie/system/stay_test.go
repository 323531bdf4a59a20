package system

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/fasthttp/websocket"

	"sharpie/actors/play"
	"sharpie/persistence"
)

// stay is a person's time in one session, from the seat to the end: keys are pressed
// all the while, and the page connects anew where it was cut off, as browsers do.
type stay struct {
	person *person
	at     string // "/s/ID"
	diary  *diary
	cancel context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	code int // with which the last connection ended
}

// redial is how long a page waits until it connects again, and lost after what time
// somebody gives up.
const (
	redial = 100 * time.Millisecond
	lost   = 30 * time.Second
)

// stay begins to play; it does not wait for anything.
func (p *person) stay(at string) *stay {
	ctx, cancel := context.WithCancel(p.t.Context())
	st := &stay{
		person: p, at: at, cancel: cancel, done: make(chan struct{}),
		diary: &diary{who: p.name, session: persistence.SessionID(strings.TrimPrefix(at, "/s/"))},
	}
	p.t.Cleanup(func() {
		cancel()
		<-st.done
		if p.t.Failed() {
			p.t.Log(st.diary)
		}
	})
	go st.run(ctx)
	return st
}

func (st *stay) run(ctx context.Context) {
	defer close(st.done)
	connected := time.Now()
	for ctx.Err() == nil {
		pl, err := st.person.tryPlayFor(st.at, nil, st.diary)
		if err == nil {
			pressing, stop := context.WithCancel(ctx)
			go pl.pressMany(pressing)
			select {
			case <-pl.over:
			case <-ctx.Done():
				pl.drop()
				<-pl.over
			}
			stop()
			connected = time.Now()
			if v := pl.now(); v.end != nil || final(v.code) {
				st.mu.Lock()
				st.code = v.code
				st.mu.Unlock()
				return
			}
		} else if time.Since(connected) > lost && ctx.Err() == nil {
			st.person.t.Errorf("%s could not connect to %s again for %s: %v", st.person.name, st.at, lost, err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(redial):
		}
	}
}

// final says whether a page does not connect again after a close code; PROTOCOL.md.
func final(code int) bool {
	switch code {
	case websocket.CloseGoingAway, websocket.CloseAbnormalClosure, websocket.CloseInternalServerErr, websocket.CloseTryAgainLater:
		return false
	}
	return code != 4008
}

// pressMany presses and lets go of the seat's keys, ten times a second.
func (pl *player) pressMany(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		v := pl.now()
		if v.welcome == nil || v.frame == nil {
			continue
		}
		var held []string
		if keys := v.welcome.GetKeys(); i%7 > 0 && len(keys) > 0 {
			held = []string{keys[i/4%len(keys)].GetKey()}
		}
		if pl.press(held...) != nil {
			return
		}
	}
}

// plays waits until the page shows further steps, after those that it has now.
func (st *stay) plays(steps int64) shown {
	st.person.t.Helper()
	first := st.diary.newest()
	st.until("further steps", func() bool {
		now := st.diary.newest()
		return now.episode > first.episode || now.step >= first.step+steps
	})
	return st.diary.newest()
}

func (st *stay) until(what string, is func() bool) {
	st.person.t.Helper()
	eventually(st.person.t, st.person.name+": "+what, is)
}

// sees waits until the page says something after a moment, and returns when.
func (st *stay) sees(since time.Time, name play.Phase_Name, text string) phaseSeen {
	st.person.t.Helper()
	var found phaseSeen
	st.until("phase "+name.String()+", "+text, func() bool {
		for _, p := range st.diary.since(since) {
			if p.name == name && strings.Contains(p.reason, text) {
				found = p
				return true
			}
		}
		return false
	})
	return found
}

// onFrom waits until play has gone on after a pause, and returns the first step of it.
func (st *stay) onFrom(pause phaseSeen) shown {
	st.person.t.Helper()
	var first shown
	st.until("play goes on", func() bool {
		st.diary.mu.Lock()
		defer st.diary.mu.Unlock()
		for _, s := range st.diary.shown {
			if s.at.After(pause.at) && (s.step > pause.step || s.episode > pause.episode) {
				first = s
				return true
			}
		}
		return false
	})
	return first
}

// ended waits for the end of the session.
func (st *stay) ended() *play.End {
	st.person.t.Helper()
	select {
	case <-st.done:
	case <-time.After(2 * time.Minute):
		st.person.t.Fatalf("the session did not end: %v", st.diary)
	}
	st.diary.mu.Lock()
	defer st.diary.mu.Unlock()
	return st.diary.end
}

// finished wants the session to come to its end, with everybody.
func (st *stay) finished() {
	st.person.t.Helper()
	if end := st.ended(); end.GetCode() != "completed" {
		st.person.t.Errorf("%s's session ended with %v, want completed; %v", st.person.name, end, st.diary)
	}
}
