package builtin

import (
	"context"
	"fmt"
	"math"
	"strings"

	"sharpie/agents"
	"sharpie/envs"
)

var _ agents.Agent = (*pursuer)(nil)

// Sizes of mpe2's simple_tag.py.
const (
	chaserSize, chaserAccel, chaserSpeed = 0.075, 3.0, 1.0
	fleerSize, fleerAccel, fleerSpeed    = 0.05, 4.0, 1.3
	obstacleSize                         = 0.2
)

// pursuer plays simple_tag_v3: as an adversary it chases the nearest good agent,
// as a good agent it runs away and stays inside the field. No arguments.
//
// What it sees (mpe2's simple_tag.py, observation()), all in one vector for A
// agents in all, O obstacles, and G good agents other than itself:
//
//	own velocity 2 · own position 2 · each obstacle, relative 2·O ·
//	each other agent, relative, in the order of roles 2·(A-1) ·
//	velocity of each other good agent, in the order of roles 2·G
//
// Adversaries are the roles whose name begins with "adversary". A chaser heads for
// where its prey will be, round obstacles; a runner weighs a few plans (flee.go).
// Both look ahead with the environment's own dynamics.
type pursuer struct {
	life
	adversary bool
	others    []bool // of each other role: is it an adversary?
	good      int    // other good agents
	obstacles int
	length    int
}

func newPursuer(spec agents.Spec) (agents.Agent, error) {
	if err := arguments(envs.NewKwargs(spec.Kwargs)); err != nil {
		return nil, err
	}
	length, err := particleSpaces(spec, "simple_tag_v3")
	if err != nil {
		return nil, err
	}
	p := &pursuer{adversary: isAdversary(spec.Role.Role), length: length}
	for _, r := range spec.Roles {
		if r.Role == spec.Role.Role {
			continue
		}
		p.others = append(p.others, isAdversary(r.Role))
		if !isAdversary(r.Role) {
			p.good++
		}
	}
	p.obstacles = (length - 4 - 2*len(p.others) - 2*p.good) / 2
	if p.obstacles < 0 || 4+2*(p.obstacles+len(p.others)+p.good) != length {
		return nil, fmt.Errorf("%w: %d numbers are no observation of %d agents", agents.ErrInvalidArgument, length, 1+len(p.others))
	}
	return p, nil
}

func isAdversary(r envs.Role) bool { return strings.HasPrefix(string(r), "adversary") }

// Act chases or flees.
func (p *pursuer) Act(ctx context.Context, in agents.Input) (envs.Value, error) {
	if err := p.check(ctx); err != nil {
		return nil, err
	}
	r, err := vectorOf(in.Observation, p.length)
	if err != nil {
		return nil, err
	}
	vel, pos := r.next(), r.next()
	obstacles := r.points(p.obstacles)
	for i := range obstacles {
		obstacles[i] = obstacles[i].plus(pos)
	}
	var chasers, prey []body
	places := r.points(len(p.others))
	for i, place := range places {
		b := body{pos: place.plus(pos), accel: chaserAccel, maxSpeed: chaserSpeed}
		if p.others[i] {
			chasers = append(chasers, b)
			continue
		}
		b.vel, b.accel, b.maxSpeed = r.next(), fleerAccel, fleerSpeed
		prey = append(prey, b)
	}
	if p.adversary {
		me := body{pos: pos, vel: vel, accel: chaserAccel, maxSpeed: chaserSpeed}
		return chase(in.ActionMask, me, prey, obstacles), nil
	}
	me := body{pos: pos, vel: vel, accel: fleerAccel, maxSpeed: fleerSpeed}
	return flee(in.ActionMask, me, chasers, obstacles), nil
}

// chase heads for where the nearest prey will be, round the first obstacle in
// the way.
func chase(mask []bool, me body, prey []body, obstacles []vec) envs.Int {
	if len(prey) == 0 {
		return best(mask, func(a int) float64 { return -me.after(a, 1).vel.norm() })
	}
	nearest := prey[0]
	for _, b := range prey[1:] {
		if b.pos.distance(me.pos) < nearest.pos.distance(me.pos) {
			nearest = b
		}
	}
	// lead: as many steps as the chaser needs at full speed, at most six
	lead := min(6, int(nearest.pos.distance(me.pos)/(chaserSpeed*particleStep)))
	target := nearest.after(0, lead).pos
	target = round(me.pos, target, obstacles, obstacleSize+chaserSize)
	return best(mask, func(a int) float64 {
		return -me.after(a, 3).pos.distance(target)
	})
}

// round returns the point to head for: the target, or beside the nearest obstacle
// whose circle of the given radius cuts the way there.
func round(from, to vec, obstacles []vec, radius float64) vec {
	way, nearest := to.minus(from), math.Inf(1)
	aim := to
	for _, o := range obstacles {
		along := o.minus(from).dot(way.unit())
		if along <= 0 || along >= way.norm() || along >= nearest || to.distance(o) < radius {
			continue
		}
		aside := o.minus(from).dot(way.unit().left())
		if math.Abs(aside) >= radius {
			continue
		}
		nearest = along
		side := way.unit().left().times(-1)
		if aside < 0 { // the obstacle is to the right: pass on the left
			side = way.unit().left()
		}
		aim = o.plus(side.times(radius * 1.2))
	}
	return aim
}

// Version is constant: nothing is learned.
func (p *pursuer) Version() string { return "pursuer/1" }
