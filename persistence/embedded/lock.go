package embedded

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gofrs/flock"
)

// ErrLocked: another process has the file open.
var ErrLocked = errors.New("embedded: the store is in use by another process")

// fileLock keeps a second process out. The operating system lets go of it when
// the process dies, however it dies.
type fileLock struct{ flock *flock.Flock }

func lockFile(path string) (*fileLock, error) {
	l := flock.New(path, flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if !ok {
		holder := ""
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			holder = " (process " + strings.TrimSpace(string(b)) + ")"
		}
		return nil, fmt.Errorf("%w%s: stop it, or use another data folder", ErrLocked, holder)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("lock: %w", err), l.Close())
	}
	return &fileLock{flock: l}, nil
}

func (l *fileLock) release() error { return l.flock.Close() }
