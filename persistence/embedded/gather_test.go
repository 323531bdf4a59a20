package embedded

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestStepsWaitForCompanyAndOthersDoNot(t *testing.T) {
	step, urgent := &op{steps: true}, &op{}
	for name, c := range map[string]struct {
		first *op
		later map[time.Duration]*op // when further ones come
		wait  time.Duration
		want  int
		after time.Duration
	}{
		"steps wait":                        {step, map[time.Duration]*op{2: step, 5: step, 9: step}, 8, 3, 8},
		"until something urgent comes":      {step, map[time.Duration]*op{2: step, 5: urgent, 6: step}, 8, 3, 5},
		"not after a pause":                 {step, map[time.Duration]*op{2: step}, -100, 1, 0},
		"something urgent does not wait":    {urgent, map[time.Duration]*op{2: step}, 8, 1, 0},
		"what is there already comes along": {urgent, map[time.Duration]*op{0: step}, 8, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ops := make(chan *op, queued)
				for at, o := range c.later {
					if at == 0 {
						ops <- o
						continue
					}
					time.AfterFunc(at*time.Millisecond, func() { ops <- o })
				}
				start := time.Now()
				if got := len(gather(c.first, ops, nil, c.wait*time.Millisecond)); got != c.want {
					t.Errorf("%d writes in the group, want %d", got, c.want)
				}
				if took := time.Since(start); took != c.after*time.Millisecond {
					t.Errorf("it waited %v, want %v", took, c.after*time.Millisecond)
				}
			})
		})
	}
}
