//go:build !(linux && (amd64 || arm64)) || static

package frames

// turbo is libjpeg-turbo where it can be loaded; here it cannot.
type turbo struct{}

func newTurbo() *turbo { return &turbo{} }

func (*turbo) usable() bool { return false }

func (t *turbo) encode(int, int, []byte) ([]byte, error) { panic("frames: no libjpeg-turbo here") }
