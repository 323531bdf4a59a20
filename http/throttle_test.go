package http

import (
	"fmt"
	"testing"
	"time"
)

func TestThrottle(t *testing.T) {
	now := time.Unix(0, 0)
	l := newThrottle(Rate{Burst: 2, Every: time.Second}, 3, func() time.Time { return now })
	take := func(key string, want bool) {
		t.Helper()
		if _, ok := l.take(key); ok != want {
			t.Errorf("at %s: take(%s) = %v, want %v", now.Sub(time.Unix(0, 0)), key, ok, want)
		}
	}
	take("a", true)
	take("a", true)
	take("a", false)
	take("b", true)
	if wait, _ := l.take("a"); wait != time.Second {
		t.Errorf("wait %s, want 1s", wait)
	}
	now = now.Add(1500 * time.Millisecond)
	take("a", true)
	if wait, ok := l.take("a"); ok || wait != 500*time.Millisecond {
		t.Errorf("wait %s, want 500ms", wait)
	}
	l.refund("a")
	take("a", true)
	now = now.Add(-time.Hour) // a clock set back locks nobody out for longer
	if wait, _ := l.take("a"); wait > time.Second {
		t.Errorf("wait %s after the clock was set back", wait)
	}
}

func TestThrottleTableIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	l := newThrottle(Rate{Burst: 1, Every: time.Second}, 10, func() time.Time { return now })
	for i := range 1000 {
		l.take(fmt.Sprint(i))
		if n := len(l.buckets); n > 10 || n != l.order.Len() {
			t.Fatalf("%d buckets, list of %d; want at most 10", n, l.order.Len())
		}
	}
	if _, ok := l.take("999"); ok {
		t.Error("the newest key was forgotten")
	}
	now = now.Add(time.Minute)
	for range 10 {
		l.take("x")
	}
	if n := len(l.buckets); n != 1 {
		t.Errorf("%d buckets after all were full again, want 1", n)
	}
}
