package actors

import (
	"sync"
	"time"
)

// limiter is the inbound rate of one participant: a token bucket that holds one
// second's worth. It belongs to the Participant and outlives its sockets, so that a
// new socket is no fresh start; sockets use it from their own goroutines.
type limiter struct {
	rate      float64 // tokens per second, and the bucket's size
	flood     int
	floodTime time.Duration

	mu      sync.Mutex
	tokens  float64
	at      time.Time // of tokens
	refused int       // in the present flood
	since   time.Time // when the flood began
	last    time.Time // the last refusal
}

// calm is how long a socket must behave until a flood is forgotten.
const calm = time.Second

func newLimiter(l Limits, now time.Time) *limiter {
	rate := float64(l.InputsPerSecond)
	return &limiter{rate: rate, flood: l.Flood, floodTime: l.FloodTime, tokens: rate, at: now}
}

// verdict is what the limiter says to one message.
type verdict int

const (
	allow  verdict = iota
	refuse         // drop the message
	expel          // close the socket
)

func (l *limiter) take(now time.Time) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = min(l.rate, l.tokens+l.rate*now.Sub(l.at).Seconds())
	l.at = now
	if l.tokens >= 1 {
		l.tokens--
		return allow
	}
	if l.refused == 0 || now.Sub(l.last) > calm {
		l.refused, l.since = 0, now
	}
	l.refused++
	l.last = now
	if l.refused > l.flood || now.Sub(l.since) > l.floodTime {
		return expel
	}
	return refuse
}
