package python

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The bounds of a frame of the channel, in bytes. Both are part of the protocol.
const (
	maxFrame  = 256 << 20
	maxHeader = 64 << 20
	maxBlobs  = 1 << 16
	// memory for what the other side announces grows as it arrives
	firstBytes = 1 << 20
)

var errProtocol = errors.New("the worker's answer cannot be understood")

// message is one frame: its header, and the blobs that it refers to by their numbers.
type message struct {
	head  node
	blobs [][]byte
	// shared is the number of the blob in memory that is used again; -1: none.
	shared int
}

// frameReader reads frames. What it returns is fresh memory, but for the picture:
// that is read into the same memory each time.
type frameReader struct {
	in *bufio.Reader
	// header and picture are used again for every frame.
	header, picture []byte
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{in: bufio.NewReaderSize(r, 64<<10)}
}

// read reads one frame. An error of the connection is returned as it is; whatever is
// wrong with the bytes wraps errProtocol.
func (f *frameReader) read() (message, error) {
	var lengths [8]byte
	if _, err := io.ReadFull(f.in, lengths[:]); err != nil {
		return message{}, err
	}
	total := int64(binary.LittleEndian.Uint32(lengths[:4]))
	head := int64(binary.LittleEndian.Uint32(lengths[4:]))
	if total > maxFrame || head > maxHeader || head > total-4 {
		return message{}, fmt.Errorf("%w: a frame of %d bytes with a header of %d", errProtocol, total, head)
	}
	var err error
	if f.header, err = readInto(f.in, f.header, int(head)); err != nil {
		return message{}, err
	}
	var m message
	if m.head, err = parse(f.header); err != nil {
		return message{}, fmt.Errorf("%w: %w", errProtocol, err)
	}
	if cap(f.header) > firstBytes {
		f.header = nil // a rare one is not kept
	}
	m.shared = pictureBlob(&m.head)
	m.blobs, err = f.readBlobs(total-4-head, m.shared)
	return m, err
}

// pictureBlob is the number of the blob that holds the picture of a reply; -1: none.
func pictureBlob(head *node) int {
	i, ok := head.get("ok").get("frame").get("$array").integer()
	if !ok || i < 0 || i >= maxBlobs {
		return -1
	}
	return int(i)
}

// readBlobs reads what is left of a frame.
func (f *frameReader) readBlobs(left int64, picture int) ([][]byte, error) {
	var blobs [][]byte
	for left > 0 {
		if left < 4 || len(blobs) == maxBlobs {
			return nil, fmt.Errorf("%w: %d bytes are left after %d blobs", errProtocol, left, len(blobs))
		}
		var length [4]byte
		if _, err := io.ReadFull(f.in, length[:]); err != nil {
			return nil, err
		}
		n := int64(binary.LittleEndian.Uint32(length[:]))
		left -= 4 + n
		if left < 0 {
			return nil, fmt.Errorf("%w: blob %d is longer than its frame", errProtocol, len(blobs))
		}
		var into []byte
		if len(blobs) == picture {
			into = f.picture
		}
		blob, err := readInto(f.in, into, int(n))
		if err != nil {
			return nil, err
		}
		if len(blobs) == picture {
			f.picture = blob
		}
		blobs = append(blobs, blob)
	}
	return blobs, nil
}

// readInto reads n bytes into the memory of buf, or into new memory where that is too
// small. Much memory is taken only as it is filled.
func readInto(r io.Reader, buf []byte, n int) ([]byte, error) {
	if n <= cap(buf) || n <= firstBytes {
		if n > cap(buf) {
			buf = make([]byte, n)
		}
		buf = buf[:n]
		_, err := io.ReadFull(r, buf)
		return buf, noEOF(err)
	}
	size := min(n, max(firstBytes, cap(buf)))
	buf = make([]byte, size)
	for at := 0; ; {
		if _, err := io.ReadFull(r, buf[at:]); err != nil {
			return nil, noEOF(err)
		}
		if len(buf) == n {
			return buf, nil
		}
		at = len(buf)
		grown := make([]byte, min(n, 4*at))
		copy(grown, buf)
		buf = grown
	}
}

// noEOF makes an end within a frame what it is: unexpected.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
