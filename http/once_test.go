package http_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sharpie/http"
	"sharpie/persistence"
)

// oneTimeLink makes a link for the user and returns its token.
func (s *site) oneTimeLink(name string, life time.Duration) string {
	s.t.Helper()
	token := strings.Repeat("A", 42) + "E"
	if err := s.store.InsertOneTimeLink(s.t.Context(), &persistence.OneTimeLink{
		TokenHash: http.HashToken(token), UserID: s.user(name).ID, ExpiresAt: s.clock.now().Add(life),
	}); err != nil {
		s.t.Fatal(err)
	}
	return token
}

func TestOneTimeLinkWorksOnce(t *testing.T) {
	s := newSite(t)
	s.browser().register("root")
	at := "/once/" + s.oneTimeLink("root", time.Hour)
	for range 3 {
		s.browser().get(at).wants(t, 200) // a preview uses nothing up
	}
	b := s.browser()
	b.get(at)
	b.post(at, nil).leadsTo(t, "/")
	b.get("/profile").wants(t, 200, "root")

	late := s.browser()
	late.get(at)
	late.post(at, nil).wants(t, 410, "used already")
	late.get("/profile").wants(t, 303)
}

func TestOneTimeLinkUsedByManyAtOnceLogsOneIn(t *testing.T) {
	s := newSite(t)
	s.browser().register("root")
	at := "/once/" + s.oneTimeLink("root", time.Hour)
	var in, refused atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		b := s.browser()
		b.get(at)
		all.Go(func() {
			switch p := b.post(at, nil); p.status {
			case 303:
				in.Add(1)
			case 410:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 || refused.Load() != 7 {
		t.Errorf("%d logged in and %d refused, want 1 and 7", in.Load(), refused.Load())
	}
}

func TestOneTimeLinkRefuses(t *testing.T) {
	s := newSite(t)
	s.browser().register("root")
	b := s.browser()
	b.get("/login")
	b.get("/once/short").wants(t, 410)
	b.post("/once/"+strings.Repeat("B", 42)+"E", nil).wants(t, 410)
	at := "/once/" + s.oneTimeLink("root", time.Hour)
	s.clock.advance(2 * time.Hour)
	b.post(at, nil).wants(t, 410, "too old")
}
