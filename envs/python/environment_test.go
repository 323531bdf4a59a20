package python

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"sharpie/envs"
	"sharpie/envs/envtest"
	"sharpie/envs/python/pythontest"
)

// newTestPool is a pool that ends with the test.
func newTestPool(t testing.TB, c Config) *Pool {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Spares == 0 {
		c.Spares = -1
	}
	p, err := NewPool(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("the pool does not close: %v", err)
		}
	})
	return p
}

// loadOf is the load of an environment by id.
func loadOf(t testing.TB, source string, kwargs map[string]any) Load {
	return Load{
		Interpreter: Interpreter{Path: pythontest.Interpreter(t)}, Modules: []string{"numpy", "gymnasium"},
		Source: source, Kwargs: kwargs, Seed: 1, Label: source,
	}
}

func TestEnvironmentsKeepTheContract(t *testing.T) {
	pool := newTestPool(t, Config{Spares: 2})
	for _, c := range []struct {
		source string
		kwargs map[string]any
	}{
		{"gymnasium:FrozenLake-v1", map[string]any{"is_slippery": true}},
		{"gymnasium:Taxi-v4", nil},
		{"gymnasium:MountainCarContinuous-v0", nil},
		{"pettingzoo:mpe2.simple_spread_v3", map[string]any{"max_cycles": 20}},
		{"pettingzoo:classic.tictactoe_v3", nil},
	} {
		t.Run(c.source, func(t *testing.T) {
			t.Parallel()
			load := loadOf(t, c.source, c.kwargs)
			make := func() (envs.Environment, error) { return pool.Open(context.Background(), load) }
			envtest.Run(t, make, envtest.Options{Seeds: []uint64{1, 2}, Steps: 25, Timeout: 60 * time.Second})
		})
	}
}
