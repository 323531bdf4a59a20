// Package builtin lists the environments that come with SHARPIE. It owns the
// list alone and refuses everything else: dynamics live in their own packages.
package builtin

import (
	"sharpie/envs"
	"sharpie/envs/bench"
	"sharpie/envs/classic"
)

// Registry returns a registry of all built-in environments.
func Registry() *envs.Registry {
	r := envs.NewRegistry()
	r.Register("MountainCar-v0", classic.NewMountainCar)
	r.Register("Bench-v0", bench.New)
	return r
}
