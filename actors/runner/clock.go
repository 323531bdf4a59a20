package runner

import "time"

// maxBehind is how many periods a real-time loop may be behind and still catch
// up, tick by tick. Beyond, its clock is set anew: a burst of steps would be
// unplayable, and the participants' inputs would be used for several at once.
const maxBehind = 3

// clock gives the deadlines of a real-time loop: base + i/fps, never sums of
// rounded periods, so that it does not drift.
type clock struct {
	base time.Time
	tick uint64
	fps  float64
}

// deadline is when the next tick is due.
func (c *clock) deadline() time.Time {
	return c.base.Add(time.Duration(float64(c.tick) * float64(time.Second) / c.fps))
}

// advance takes the tick that was due at its deadline, now, and returns how late
// it is. Behind by more than maxBehind periods, the clock starts anew from now.
func (c *clock) advance(now time.Time) (late time.Duration, rebased bool) {
	late = max(now.Sub(c.deadline()), 0)
	if late > time.Duration(maxBehind*float64(time.Second)/c.fps) {
		c.base, c.tick = now, 1
		return late, true
	}
	c.tick++
	return late, false
}

// shift moves all deadlines by the time that the episode stood still.
func (c *clock) shift(d time.Duration) { c.base = c.base.Add(d) }
