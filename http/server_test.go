package http_test

import (
	"context"
	"net"
	"testing"
	"time"
)

func TestShutdownDoesNotWaitForConnectionsThatSayNothing(t *testing.T) {
	s := newSite(t)
	s.browser().get("/healthz")
	for range 3 {
		c, err := net.Dial("tcp", s.host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v; want it to hang up on connections opened in advance", err)
	}
}
