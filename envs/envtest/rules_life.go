package envtest

import (
	"context"
	"errors"

	"sharpie/envs"
)

func lifeRules() []Rule {
	return []Rule{
		{
			Name:  "snapshots restore the course",
			Fix:   "save the whole state: everything that Step, Render and the step limit depend on, the generator as well",
			check: checkSnapshot,
		},
		{
			Name:  "bad snapshots are refused",
			Fix:   "check a snapshot wholly before changing the state, and return an error",
			check: checkBadSnapshot,
		},
		{
			Name:  "close ends everything",
			Fix:   "return nil from the first and the second Close, and an error that wraps envs.ErrClosed from every method after it",
			check: checkClose,
		},
	}
}

func (s *subject) snapshotter() (envs.Snapshotter, bool) {
	sn, ok := s.Environment.(envs.Snapshotter)
	return sn, ok
}

func (s *subject) snapshot(sn envs.Snapshotter) (data []byte) {
	err := s.probe.call("Snapshot", func(context.Context) (err error) {
		data, err = sn.Snapshot()
		return err
	})
	if err != nil {
		s.probe.fail("Snapshot failed: %v", err)
	}
	return data
}

func (s *subject) restore(sn envs.Snapshotter, data []byte) error {
	return s.probe.call("Restore", func(context.Context) error { return sn.Restore(data) })
}

// course plays on from here; the generator of the actions starts anew.
func (s *subject) course(live []envs.RoleObservation, steps int) *episode {
	s.live = append(s.live[:0], live...)
	e := &episode{picture: s.render()}
	rng := generator(77)
	for range steps {
		if len(s.live) == 0 {
			break
		}
		e.moments = append(e.moments, moment{out: s.step(s.sample(rng)), picture: s.render()})
	}
	return e
}

func checkSnapshot(p *probe) {
	s := p.env()
	if _, ok := s.snapshotter(); !ok {
		return
	}
	for i, seed := range p.opts.Seeds {
		s.play(seed, 1+2*i, false)
		sn, _ := s.snapshotter()
		live := append([]envs.RoleObservation(nil), s.live...)
		data := s.snapshot(sn)
		steps := min(p.opts.Steps, 100)
		want := s.course(live, steps)

		if err := s.restore(sn, data); err != nil {
			p.fail("Restore of a snapshot of the same episode failed: %v", err)
		}
		if d := want.difference(s.course(live, steps)); d != "" {
			p.fail("the course after Snapshot and after Restore, seed %d: %s", seed, d)
		}
		fresh := p.env()
		other, _ := fresh.snapshotter()
		if err := fresh.restore(other, data); err != nil {
			p.fail("Restore into a fresh environment failed: %v", err)
		}
		if d := want.difference(fresh.course(live, steps)); d != "" {
			p.fail("the course after Snapshot and after Restore into a fresh environment, seed %d: %s", seed, d)
		}
	}
}

func checkBadSnapshot(p *probe) {
	s := p.env()
	sn, ok := s.snapshotter()
	if !ok {
		return
	}
	s.play(p.opts.Seeds[0], 1, false)
	live := append([]envs.RoleObservation(nil), s.live...)
	good := s.snapshot(sn)
	want := s.course(live, 5)
	if err := s.restore(sn, good); err != nil {
		p.fail("Restore of a good snapshot failed: %v", err)
	}
	for _, bad := range [][]byte{nil, {}, []byte("no snapshot"), good[:len(good)/2]} {
		if err := s.restore(sn, bad); err == nil {
			p.fail("Restore accepted %d bytes of %q", len(bad), bad)
		}
	}
	if d := want.difference(s.course(live, 5)); d != "" {
		p.fail("the course with and without refused snapshots: %s", d)
	}
}

func checkClose(p *probe) {
	s := p.env()
	s.play(p.opts.Seeds[0], 1, false)
	actions := s.sample(generator(1))
	for _, which := range []string{"first", "second"} {
		if err := p.call("Close", func(context.Context) error { return s.Close() }); err != nil {
			p.fail("the %s Close returned %v", which, err)
		}
	}
	if _, err := s.tryReset(1); !errors.Is(err, envs.ErrClosed) {
		p.fail("Reset after Close returned %v", err)
	}
	if _, err := s.tryStep(actions); !errors.Is(err, envs.ErrClosed) {
		p.fail("Step after Close returned %v", err)
	}
	if _, err := s.tryRender(); !errors.Is(err, envs.ErrClosed) {
		p.fail("Render after Close returned %v", err)
	}
}
