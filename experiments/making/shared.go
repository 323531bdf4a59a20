package making

import (
	"context"
	"reflect"
	"sync"
	"time"

	"sharpie/envs"
	"sharpie/envs/python"
	"sharpie/experiments"
)

// home names the worker that the policies of one episode share.
type home struct {
	label string
	env   envs.Environment
}

// shared is a worker without an environment, and who lives in it.
type shared struct {
	worker *python.Worker
	// release lets go of the files.
	release func()
	// roles have a policy there; each at most one.
	roles map[envs.Role]bool
	// residents are the agents that were not closed yet.
	residents int
}

// worker returns the worker of a policy that has no host, and what the policy's
// agent calls when it ends. The policies of one order and environment share one;
// a second policy of a role has its own, and so has one without environment.
func (m *Maker) worker(ctx context.Context, o experiments.Order, env envs.Environment, c experiments.Casting) (*python.Worker, func() error, error) {
	h := home{label: o.Label, env: env}
	role := c.Spec.Role.Role
	sharing := env != nil && o.Label != "" && reflect.TypeOf(env).Comparable() && !standsIn(o.Definition, c)
	if sharing {
		if w := m.move(h, role); w != nil {
			return w, func() error { return m.leave(h) }, nil
		}
	}
	load, release, err := m.load(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	for i := range c.Spec.Roles {
		load.Roles = append(load.Roles, python.LoadRole{Role: string(c.Spec.Roles[i].Role), Policy: true})
	}
	began := time.Now()
	w, err := m.cfg.Pool.Policies(ctx, load)
	m.metrics.opened(began, err)
	if err != nil {
		release()
		return nil, nil, err
	}
	let := release
	release = sync.OnceFunc(func() { let(); m.metrics.workers.Dec() })
	if !sharing || !m.found(h, &shared{worker: w, release: release, roles: map[envs.Role]bool{role: true}, residents: 1}) {
		return w, func() error { defer release(); return w.Close() }, nil
	}
	return w, func() error { return m.leave(h) }, nil
}

// move takes a role into the worker of a home; nil where there is none, or where the
// role has a policy there already.
func (m *Maker) move(h home, role envs.Role) *python.Worker {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.shared[h]
	if s == nil || s.roles[role] {
		return nil
	}
	s.roles[role] = true
	s.residents++
	return s.worker
}

// found makes a worker the one of a home; false where it has one already.
func (m *Maker) found(h home, s *shared) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shared[h] != nil {
		return false
	}
	m.shared[h] = s
	return true
}

// leave counts an agent out, and closes the worker with the last one.
func (m *Maker) leave(h home) error {
	m.mu.Lock()
	s := m.shared[h]
	s.residents--
	last := s.residents == 0
	if last {
		delete(m.shared, h)
	}
	m.mu.Unlock()
	if !last {
		return nil
	}
	defer s.release()
	return s.worker.Close()
}

// standsIn reports whether the policy takes the place of another one of the same
// seat: the drop-out policy.
func standsIn(d *experiments.Definition, c experiments.Casting) bool {
	if c.Agent < 0 || c.Agent >= len(d.Agents) {
		return false
	}
	own := d.Agents[c.Agent].Policy
	return own != "" && own != c.Policy.Name
}
