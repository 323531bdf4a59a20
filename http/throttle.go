package http

import (
	"container/list"
	"sync"
	"time"
)

// Rate is a token bucket: Burst at once, then one more every Every. A Burst of 0
// is no limit.
type Rate struct {
	Burst int
	Every time.Duration
}

// throttle keeps a bucket per key, in a table that is bounded: full buckets are
// forgotten, and where the table is full the key that was quiet longest.
type throttle struct {
	rate  Rate
	max   int
	clock func() time.Time

	mu      sync.Mutex
	buckets map[string]*list.Element
	order   *list.List // of *bucket, last used first
}

type bucket struct {
	key    string
	tokens float64
	at     time.Time
}

func newThrottle(rate Rate, max int, clock func() time.Time) *throttle {
	return &throttle{rate: rate, max: max, clock: clock, buckets: map[string]*list.Element{}, order: list.New()}
}

// take takes a token. Where there is none it returns how long to wait for one.
func (t *throttle) take(key string) (wait time.Duration, ok bool) {
	if t.rate.Burst <= 0 {
		return 0, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bucket(key)
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) * float64(t.rate.Every)), false
	}
	b.tokens--
	return 0, true
}

// refund gives a token back: what it was taken for turned out to be harmless.
func (t *throttle) refund(key string) {
	if t.rate.Burst <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bucket(key)
	b.tokens = min(b.tokens+1, float64(t.rate.Burst))
}

// bucket returns the key's bucket, filled up to now. The caller holds mu.
func (t *throttle) bucket(key string) *bucket {
	now := t.clock()
	t.expire(now)
	if e, ok := t.buckets[key]; ok {
		b := e.Value.(*bucket)
		t.fill(b, now)
		t.order.MoveToFront(e)
		return b
	}
	if t.order.Len() >= t.max {
		t.drop(t.order.Back())
	}
	b := &bucket{key: key, tokens: float64(t.rate.Burst), at: now}
	t.buckets[key] = t.order.PushFront(b)
	return b
}

func (t *throttle) fill(b *bucket, now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(b.tokens+float64(d)/float64(t.rate.Every), float64(t.rate.Burst))
	}
	b.at = now
}

// expire forgets a few of the oldest buckets that are full again.
func (t *throttle) expire(now time.Time) {
	for range 2 {
		e := t.order.Back()
		if e == nil {
			return
		}
		b := e.Value.(*bucket)
		if b.tokens+float64(now.Sub(b.at))/float64(t.rate.Every) < float64(t.rate.Burst) {
			return
		}
		t.drop(e)
	}
}

func (t *throttle) drop(e *list.Element) {
	delete(t.buckets, t.order.Remove(e).(*bucket).key)
}
