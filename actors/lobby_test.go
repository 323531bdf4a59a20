package actors

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sharpie/actors/play"
	"sharpie/experiments"
	"sharpie/persistence"
)

// Two people never get the same seat, however many come at once.
func TestSeatsAreNeverShared(t *testing.T) {
	inTheatre(t, 0, func(th *theatre) {
		d := definition(4)
		var mu sync.Mutex
		var wg sync.WaitGroup
		seats := map[Ticket]int{}
		sessions := map[persistence.SessionID]int{}
		for i := range 100 {
			wg.Go(func() {
				ticket, err := th.sys.Join(t.Context(), request(d, fmt.Sprintf("p%d", i)))
				if err != nil {
					t.Errorf("join %d: %v", i, err)
				}
				mu.Lock()
				defer mu.Unlock()
				seats[ticket]++
				sessions[ticket.Session]++
			})
		}
		wg.Wait()
		if len(seats) != 100 || len(sessions) != 25 {
			t.Fatalf("100 people got %d different seats in %d sessions, want 100 in 25", len(seats), len(sessions))
		}
	})
}

func TestMatching(t *testing.T) {
	d := definition(2)
	role := func(r string) func(*JoinRequest) { return func(j *JoinRequest) { j.Role = r } }
	room := func(r string) func(*JoinRequest) { return func(j *JoinRequest) { j.Room = r } }
	version := func(v int) func(*JoinRequest) { return func(j *JoinRequest) { j.Version = v } }
	tests := []struct {
		name         string
		first, other []func(*JoinRequest)
		together     bool
		role         string // of the second
	}{
		{"any seat", nil, nil, true, "r1"},
		{"the seat that was asked for", []func(*JoinRequest){role("r1")}, nil, true, "r0"},
		{"the same seat twice", []func(*JoinRequest){role("r1")}, []func(*JoinRequest){role("r1")}, false, "r1"},
		{"the same room", []func(*JoinRequest){room("a")}, []func(*JoinRequest){room("a")}, true, "r1"},
		{"another room", []func(*JoinRequest){room("a")}, []func(*JoinRequest){room("b")}, false, "r0"},
		{"no room", []func(*JoinRequest){room("a")}, nil, false, "r0"},
		{"another version", nil, []func(*JoinRequest){version(2)}, false, "r0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inTheatre(t, 0, func(th *theatre) {
				a, b := th.join(d, "ann", tt.first...), th.join(d, "bob", tt.other...)
				if together := a.ticket.Session == b.ticket.Session; together != tt.together || b.ticket.Role != tt.role {
					t.Errorf("together %v as %q, want %v as %q", together, b.ticket.Role, tt.together, tt.role)
				}
			})
		})
	}
}

func TestJoinRefused(t *testing.T) {
	inTheatre(t, 0, func(th *theatre) {
		r := request(definition(2), "ann")
		r.Role = "r9"
		if _, err := th.sys.Join(t.Context(), r); !errors.Is(err, ErrNoSeat) {
			t.Errorf("an unknown role: %v, want ErrNoSeat", err)
		}
		if _, err := th.sys.Join(t.Context(), request(definition(0), "ann")); !errors.Is(err, ErrNoSeat) {
			t.Errorf("no seats: %v, want ErrNoSeat", err)
		}
		th.join(definition(1), "bob")
		if _, err := th.sys.Join(t.Context(), request(definition(1), "cem")); !errors.Is(err, ErrFull) {
			t.Errorf("a second session where one is allowed: %v, want ErrFull", err)
		}
	}, func(c *Config) { c.Limits.Sessions = 1 })
}

// A lobby that times out says so, and the next Join opens a new session.
func TestLobbyTimeout(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2)
		ann := th.come(d, "ann")
		ph := ann.sees(play.Phase_WAITING)
		if left := time.Until(time.UnixMicro(ph.GetDeadlineUs())); left != 300*time.Second {
			t.Errorf("the lobby ends in %v, want 300s", left)
		}
		wait(299 * time.Second)
		ann.sees(play.Phase_WAITING)
		wait(2 * time.Second)
		if ph := ann.sees(play.Phase_ABORTED); ph.GetReason() != reasonLobbyTimeout.Public {
			t.Errorf("the page says %q", ph.GetReason())
		}
		ann.ended("aborted", closeNormal)
		s := th.store.only(t)
		if s.Reason.Code != "lobby_timeout" || !s.Finished || s.EndedAt == nil {
			t.Errorf("stored session: reason %q, finished %v", s.Reason.Code, s.Finished)
		}
		again := th.join(d, "ann")
		if again.ticket.Rejoined || again.ticket.Session == ann.ticket.Session {
			t.Errorf("after the timeout Join gave the old session again")
		}
	})
}

// Somebody whose page never opened, and somebody who closed it, free the seat.
func TestNobodyWaitsForSomebodyWhoLeft(t *testing.T) {
	leave := map[string]func(*person){
		"never came": func(p *person) {},
		"closed the page": func(p *person) {
			p.attach()
			p.drop()
		},
	}
	for name, vanish := range leave {
		t.Run(name, func(t *testing.T) {
			inTheatre(t, 1, func(th *theatre) {
				d := definition(3)
				ann, bob := th.come(d, "ann"), th.join(d, "bob")
				vanish(bob)
				wait(21 * time.Second) // the grace is 20 s
				if s := ann.sees(play.Phase_WAITING).Seats[1]; s.State != play.Seat_FREE {
					t.Fatalf("after the grace the seat is %v, want FREE", s.State)
				}
				if cem := th.join(d, "cem"); cem.ticket != (Ticket{Session: ann.ticket.Session, Role: "r1"}) {
					t.Errorf("the next one got %+v, want the seat that came free", cem.ticket)
				}
				if late := th.join(d, "bob"); late.ticket.Rejoined {
					t.Errorf("who left too long ago got the seat again")
				}
			})
		})
	}
}

func TestLeaveInTheLobby(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2)
		ann, bob := th.come(d, "ann"), th.join(d, "bob")
		if err := th.sys.Leave(t.Context(), bob.ticket.Session, "bob"); err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		if s := ann.sees(play.Phase_WAITING).Seats[1]; s.State != play.Seat_FREE {
			t.Errorf("the seat is %v, want FREE", s.State)
		}
		if err := th.sys.Leave(t.Context(), ann.ticket.Session, "ann"); err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		ann.ended("left", closeNormal)
		if s := th.store.only(t); s.Reason.Code != "everybody_left" || !s.Finished {
			t.Errorf("an empty lobby ended with %q, finished %v", s.Reason.Code, s.Finished)
		}
		if err := th.sys.Leave(t.Context(), ann.ticket.Session, "ann"); !errors.Is(err, ErrGone) {
			t.Errorf("leaving twice: %v, want ErrGone", err)
		}
	})
}

func TestCountdown(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2)
		ann, bob := th.come(d, "ann"), th.come(d, "bob")
		ann.sees(play.Phase_READY)
		wait(2 * time.Second)
		bob.drop()
		if s := ann.sees(play.Phase_WAITING).Seats[1]; s.State != play.Seat_AWAY {
			t.Errorf("the seat is %v, want AWAY", s.State)
		}
		bob.attach()
		bob.sees(play.Phase_READY)
		wait(2 * time.Second)
		bob.sees(play.Phase_READY)
		wait(1100 * time.Millisecond)
		ann.sees(play.Phase_RUNNING)
		if f := newest(bob, (*play.ServerMessage).GetFrame); f.GetEpisode() != 1 || f.GetCodec() != play.Codec_CODEC_PNG {
			t.Errorf("bob sees frame %v", f)
		}
	})
}

func TestReadyShortensTheCountdown(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		d := definition(2, func(d *experiments.Definition) { d.Experiment.Countdown = experiments.Duration(time.Hour) })
		ann, bob := th.come(d, "ann"), th.come(d, "bob")
		ready := &play.ClientMessage{Kind: &play.ClientMessage_Ready{Ready: &play.Ready{}}}
		if err := ann.send(ready); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		bob.sees(play.Phase_READY)
		if err := bob.send(ready); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		bob.sees(play.Phase_RUNNING)
	})
}

func TestLobbyView(t *testing.T) {
	inTheatre(t, 1, func(th *theatre) {
		th.come(definition(1), "ann")
		th.join(definition(2), "bob")
		th.join(definition(2), "cem", func(r *JoinRequest) { r.Room = "a" })
		got, err := th.sys.Lobby(t.Context(), "x", "")
		if want := (LobbyView{Waiting: 1, Playing: 1}); err != nil || got != want {
			t.Errorf("Lobby is %+v, %v, want %+v", got, err, want)
		}
	})
}
