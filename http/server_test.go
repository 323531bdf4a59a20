package http_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
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

func TestShutdownWhileSocketsComeAndGo(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	var opened atomic.Int32
	enough := make(chan struct{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				w, _, err := b.dial("/check/socket")
				if err != nil {
					return
				}
				n := opened.Add(1)
				if n == 200 {
					close(enough)
				}
				if w.conn.WriteMessage(websocket.BinaryMessage, ping(1)) == nil && n%2 == 0 {
					_, _, _ = w.conn.ReadMessage()
				}
				_ = w.conn.Close()
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(30 * time.Second):
		t.Errorf("%d sockets in 30 s, want 200", opened.Load())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	all.Wait()
	if log := s.log.String(); strings.Contains(log, "panicked") {
		t.Errorf("a handler panicked: %s", log)
	}
}
