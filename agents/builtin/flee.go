package builtin

import (
	"math"

	"sharpie/envs"
)

// A plan of a runner is one action held for planFirst steps, and then another
// for planSecond steps.
const (
	planFirst, planSecond = 2, 6
	// planMargin is the distance below which a chaser counts as partly touching,
	// since it may not do what the plan takes it to do.
	planMargin = 0.2
	// planDiscount weighs a step of a plan against the step before.
	planDiscount = 0.95
)

// flee chooses the first action of the best of all 25 plans. A plan is worth what
// simple_tag pays for it (-10 for each step within reach of a chaser, and the
// penalty for leaving the field) against chasers that head straight for the
// runner, and then the distance won, where one can run on.
func flee(mask []bool, me body, chasers []body, obstacles []vec) envs.Int {
	return best(mask, func(first int) float64 {
		top := math.Inf(-1)
		for second := range particleActions {
			top = max(top, worth(first, second, me, chasers, obstacles))
		}
		return top
	})
}

func worth(first, second int, me body, chasers []body, obstacles []vec) float64 {
	after := append(make([]body, 0, 8), chasers...)
	value, weight, nearest := 0.0, 1.0, 0.0
	for k := range planFirst + planSecond {
		action := first
		if k >= planFirst {
			action = second
		}
		for i := range after {
			way := me.pos.minus(after[i].pos).unit()
			after[i] = after[i].pushed(way).outside(obstacles, obstacleSize+chaserSize)
		}
		me = me.pushed(direction(action)).outside(obstacles, obstacleSize+fleerSize)
		nearest = 2
		for _, c := range after {
			nearest = min(nearest, me.pos.distance(c.pos)-chaserSize-fleerSize)
		}
		if nearest < planMargin {
			short := 1 - max(nearest, 0)/planMargin
			value -= 10 * weight * short
		}
		value -= weight * (leaving(me.pos.x) + leaving(me.pos.y))
		weight *= planDiscount
	}
	// on the way out of the field there is nowhere to run on
	end := me.rest()
	return value + 3*min(nearest, 0.8) - 2*(leaving(end.x)+leaving(end.y)) - 0.3*end.norm()
}

// leaving is simple_tag's penalty for one coordinate of a good agent (bound() in
// mpe2's simple_tag.py).
func leaving(x float64) float64 {
	switch x = math.Abs(x); {
	case x < 0.9:
		return 0
	case x < 1:
		return (x - 0.9) * 10
	}
	return min(math.Exp(2*x-2), 10)
}
