package making

import (
	"context"
	"errors"
)

// adder is a Bundles that takes archives which no store has yet. *bundle.Cache is one.
type adder interface {
	Add(ctx context.Context, hash string, data []byte) (dir string, err error)
}

// Keep makes the files of a bundle known before the bundle is in any store, so that an
// experiment can be checked before it is imported.
func (m *Maker) Keep(ctx context.Context, hash string, data []byte) error {
	a, ok := m.cfg.Bundles.(adder)
	if !ok {
		return errors.New("experiments/making: bundles cannot be kept here")
	}
	_, err := a.Add(ctx, hash, data)
	return err
}
