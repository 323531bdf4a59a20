package runner

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
)

func TestRealTimeTicksOnAbsoluteDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := definition("agent_0")
		p := play(t, def, &world{env: newWalk("agent_0")}).begin().wait()
		want := []time.Duration{100, 200, 300, 400, 500}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if d := cmp.Diff(want, p.times()); d != "" {
			t.Errorf("steps were reported at other times (-want +got):\n%s", d)
		}
		e := p.endOf()
		if e.How != messages.EpisodeEnded_TRUNCATED || e.Code != CodeMaxSteps || e.LastStep != 5 {
			t.Errorf("ended with %v, want truncated by max_steps at 5", e)
		}
		if r := p.records()[5].Roles[0]; !r.Truncated || r.Terminated {
			t.Errorf("the last step is not marked as truncated: %v", r)
		}
	})
}
