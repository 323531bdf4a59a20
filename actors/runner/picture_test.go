package runner

import (
	"testing"
	"testing/synctest"

	"sharpie/actors/messages"
	"sharpie/envs/builtin"
	"sharpie/experiments"
)

func TestSlowPicturesFollowTheirStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		def := benchDefinition(1, 512, "noise")
		def.Experiment.MaxSteps = 6
		p := play(t, def, &world{}, func(c *Config, _ *messages.Start) { c.Maker = experiments.Registries{Environments: builtin.Registry()} }).begin().wait()
		p.endOf()
		var reported, shown uint64
		for _, m := range p.messages {
			switch m := m.(type) {
			case *messages.Started:
				if m.Step.Picture == nil {
					t.Error("step 0 has no picture")
				}
			case *messages.Stepped:
				reported = m.Record.Step
				if m.Picture != nil {
					t.Errorf("step %d waited for its picture", reported)
				}
			case *messages.Pictured:
				if m.Picture.Step > reported || m.Picture.Step <= shown || len(m.Picture.Data) == 0 || m.Picture.Width != 512 {
					t.Errorf("after step %d and the picture of %d came the picture of %d", reported, shown, m.Picture.Step)
				}
				shown = m.Picture.Step
			}
		}
		if shown != 6 {
			t.Errorf("the last picture is of step %d, want the final one, 6", shown)
		}
	})
}

func TestAnUnchangedPictureIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := play(t, definition("a"), &world{env: newWalk("a")}).begin().wait() // nobody moves
		for _, m := range p.messages {
			if s, ok := m.(*messages.Stepped); ok && s.Picture != nil {
				t.Errorf("step %d has a picture, though nothing moved", s.Record.Step)
			}
		}
	})
}
