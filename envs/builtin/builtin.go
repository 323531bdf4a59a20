// Package builtin lists the environments that come with SHARPIE. It owns the
// list alone and refuses everything else: dynamics live in their own packages.
package builtin

import (
	"sharpie/envs"
	"sharpie/envs/bench"
	"sharpie/envs/classic"
	"sharpie/envs/mpe"
	"sharpie/envs/toytext"
)

// Registry returns a registry of all built-in environments.
func Registry() *envs.Registry {
	r := envs.NewRegistry()
	r.Register("MountainCar-v0", classic.NewMountainCar)
	r.Register("CartPole-v1", classic.NewCartPole)
	r.Register("FrozenLake-v1", toytext.NewFrozenLake)
	r.Register("Bench-v0", bench.New)
	r.Register("simple_spread_v3", mpe.NewSpread)
	r.Register("simple_tag_v3", mpe.NewTag)
	return r
}
