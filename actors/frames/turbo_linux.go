//go:build linux && (amd64 || arm64) && !static

package frames

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Names and numbers of turbojpeg.h, version 2 and later.
const (
	pixelsRGB      = 0    // TJPF_RGB
	subsampling420 = 2    // TJSAMP_420
	flagNoRealloc  = 1024 // TJFLAG_NOREALLOC
)

// library is libturbojpeg, loaded on first use.
type library struct {
	initCompress func() uintptr
	compress     func(handle uintptr, src unsafe.Pointer, width, pitch, height, format int32, buf, size unsafe.Pointer, subsampling, quality, flags int32) int32
	bufSize      func(width, height, subsampling int32) uintptr
	errorText    func(handle uintptr) string
	destroy      func(handle uintptr) int32
}

// loadLibrary loads libturbojpeg once; nil where it is not installed, or lacks
// what is needed.
var loadLibrary = sync.OnceValue(func() (lib *library) {
	h, err := purego.Dlopen("libturbojpeg.so.0", purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil
	}
	defer func() {
		if recover() != nil { // a symbol is missing
			lib = nil
		}
	}()
	lib = new(library)
	purego.RegisterLibFunc(&lib.initCompress, h, "tjInitCompress")
	purego.RegisterLibFunc(&lib.compress, h, "tjCompress2")
	purego.RegisterLibFunc(&lib.bufSize, h, "tjBufSize")
	purego.RegisterLibFunc(&lib.errorText, h, "tjGetErrorStr2")
	purego.RegisterLibFunc(&lib.destroy, h, "tjDestroy")
	return lib
})

// turbo is one compressor of libjpeg-turbo. It is used by one goroutine at a time.
type turbo struct {
	lib    *library
	handle uintptr
	buf    []byte
}

// newTurbo makes a compressor, unusable where the library is not installed.
func newTurbo() *turbo {
	t := &turbo{lib: loadLibrary()}
	if t.lib == nil {
		return t
	}
	if t.handle = t.lib.initCompress(); t.handle == 0 {
		return t
	}
	lib := t.lib
	runtime.AddCleanup(t, func(h uintptr) { lib.destroy(h) }, t.handle)
	return t
}

func (t *turbo) usable() bool { return t.handle != 0 }

// encode returns RGB pixels as JPEG.
func (t *turbo) encode(width, height int, rgb []byte) ([]byte, error) {
	most := t.lib.bufSize(int32(width), int32(height), subsampling420)
	if most == 0 || most > 1<<31 {
		return nil, fmt.Errorf("libjpeg-turbo: no pictures of %d×%d", width, height)
	}
	if cap(t.buf) < int(most) {
		t.buf = make([]byte, most)
	}
	t.buf = t.buf[:most]
	call := struct {
		buf  unsafe.Pointer
		size uint
		pin  runtime.Pinner
	}{buf: unsafe.Pointer(&t.buf[0]), size: uint(most)}
	call.pin.Pin(&t.buf[0])
	call.pin.Pin(&rgb[0])
	defer call.pin.Unpin()
	rc := t.lib.compress(t.handle, unsafe.Pointer(&rgb[0]), int32(width), int32(3*width), int32(height), pixelsRGB,
		unsafe.Pointer(&call.buf), unsafe.Pointer(&call.size), subsampling420, Quality, flagNoRealloc)
	runtime.KeepAlive(t)
	if rc != 0 {
		return nil, errors.New("libjpeg-turbo: " + t.lib.errorText(t.handle))
	}
	return append([]byte(nil), t.buf[:call.size]...), nil
}
