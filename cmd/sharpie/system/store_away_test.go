package system

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"sharpie/actors/play"
	"sharpie/persistence/mongo/mongotest"
)

// outage is how long the store is away while people play; envOutage names a variable
// that makes it longer, for a run by hand.
const (
	outage    = 15 * time.Second
	envOutage = "SHARPIE_TEST_OUTAGE"
)

// reload is how long a page may take that is reloaded meanwhile.
const reload = 2 * time.Second

// stutter is the longest wait for a picture that is no outage for a participant, on a
// machine that has other things to do as well.
const stutter = time.Second

func TestNobodyWhoPlaysNoticesThatTheStoreIsAway(t *testing.T) {
	t.Parallel()
	length := outage
	if text := os.Getenv(envOutage); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", envOutage, err)
		}
	}
	for name, way := range map[string]struct {
		leave, comeBack func(context.Context, *mongotest.Server) error
	}{
		"frozen": {
			func(_ context.Context, db *mongotest.Server) error { return db.Freeze() },
			func(_ context.Context, db *mongotest.Server) error { return db.Thaw() },
		},
		"killed and restarted": {
			func(_ context.Context, db *mongotest.Server) error { return db.Kill() },
			func(ctx context.Context, db *mongotest.Server) error { return db.Restart(ctx) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := database(t)
			s := serve(t, uri(db), []study{{link: "away", seats: 2, lines: []string{"on_drop_out: abort"}}, {link: "alone", seats: 1}})
			people := s.registerAll("Ada", "Ben", "Cleo")
			players, cleo := together("away", people[:2]...), people[2]
			alone := together("alone", cleo)[0]
			for _, pl := range players {
				pl.pressOn(t.Context())
			}
			players[0].frames(20)

			if err := way.leave(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			before := []view{players[0].forget(), players[1].forget()}
			eventually(t, "/readyz says that the store is away", func() bool {
				r := s.ready()
				return r.code == http.StatusServiceUnavailable && !r.Store.OK && r.Status == "not ready"
			})
			reloadsMeanwhile(t, cleo, alone)
			pass(length - time.Since(began))
			playedOn(t, players, before, time.Since(began))
			if r := s.ready(); r.Unstored < int(fullRate*length.Seconds()/2) {
				t.Errorf("/readyz says that %d steps wait for the store after %s at %g FPS", r.Unstored, length, fullRate)
			}

			if err := way.comeBack(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			eventually(t, "/readyz says that the store is back", func() bool { return s.ready().code == http.StatusOK })
			eventually(t, "what waited is stored", func() bool { return s.ready().Unstored < 3*fullRate })
			everythingIsStored(t, s, people, players)
		})
	}
}

// playedOn checks what the players saw since before.
func playedOn(t *testing.T, players []*player, before []view, length time.Duration) {
	t.Helper()
	for i, pl := range players {
		v := pl.now()
		t.Logf("%s: %d frames within %s, at most %s apart", pl.who, v.frames-before[i].frames, length.Round(time.Millisecond), v.longest.Round(time.Millisecond))
		got, want := v.frames-before[i].frames, fullRate*length.Seconds()
		if float64(got) < 0.9*want {
			t.Errorf("%s saw %d frames within %s without the store, want %.0f", pl.who, got, length.Round(time.Millisecond), want)
		}
		if v.longest > stutter {
			t.Errorf("%s saw no new picture for %s while the store was away", pl.who, v.longest.Round(time.Millisecond))
		}
		if v.used <= before[i].used {
			t.Errorf("%s's keys did not count while the store was away", pl.who)
		}
		if len(v.notices) > 0 {
			t.Errorf("%s was told %q, which is nothing to worry participants with", pl.who, v.notices[0].GetText())
		}
		if v.phase.GetName() != play.Phase_RUNNING || v.closed {
			t.Errorf("%s's session went to phase %s, connection lost: %t", pl.who, v.phase.GetName(), v.closed)
		}
	}
}

// everythingIsStored ends the session and looks at what is kept of it.
func everythingIsStored(t *testing.T, s *server, people []*person, players []*player) {
	t.Helper()
	at := players[0].at
	people[0].submit(at+"/leave", people[0].get(at), nil)
	for _, pl := range players {
		pl.closed()
	}
	store := s.store()
	if x := sessionOf(t, store, at); x.Reason.Code != "dropped_out" {
		t.Errorf("the session ended with %+v, want that somebody dropped out", x.Reason)
	}
	episode := only(t, store, "away")
	for _, pl := range players {
		episode.holds(t, pl.now())
	}
	s.verify("away")
}

// reloadsMeanwhile: who reloads the page goes on at once, and who is new is told to
// come again.
func reloadsMeanwhile(t *testing.T, p *person, former *player) {
	t.Helper()
	began := time.Now()
	says(t, p.get(former.at), http.StatusOK)
	again := p.play(former.at)
	again.frames(1)
	if took := time.Since(began); took > reload {
		t.Errorf("without the store, a reload takes %s until there is a picture", took.Round(time.Millisecond))
	}
	former.closedWith(4001)
	says(t, p.server.visitor().get("/"), http.StatusServiceUnavailable, "The data store does not answer at the moment. Sessions that are running go on.")
}
