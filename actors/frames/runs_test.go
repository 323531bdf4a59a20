package frames

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"testing"
)

// inflated checks that the standard library reads what runs wrote.
func inflated(t *testing.T, raw []byte, stride int) int {
	t.Helper()
	var r runs
	out := r.deflate([]byte("before"), raw, stride)
	got, err := io.ReadAll(flate.NewReader(bytes.NewReader(out[len("before"):])))
	if err != nil || !bytes.Equal(got, raw) {
		t.Fatalf("%d bytes in rows of %d came back as %d others (%v)", len(raw), stride, len(got), err)
	}
	return len(out) - len("before")
}

func TestRunsAreReadByTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, stride := range []int{1, 2, 3, 4, 5, 7, 33, 256, 257, 258, 259, 4097, 32768} {
		for _, colors := range []int{1, 2, 200, 256} {
			for _, rows := range []int{0, 1, 2, 9} {
				raw := make([]byte, stride*rows)
				for i := range raw {
					if i >= stride && rng.IntN(20) > 0 {
						raw[i] = raw[i-stride]
					} else if i > 0 && rng.IntN(8) > 0 {
						raw[i] = raw[i-1]
					} else {
						raw[i] = byte(rng.IntN(colors))
					}
				}
				inflated(t, raw, stride)
			}
		}
	}
}

func TestRunsOfEveryLength(t *testing.T) {
	for n := range 1000 {
		raw := bytes.Repeat([]byte{7}, n)
		if size := inflated(t, append(raw, 1), 32768); size > 16 {
			t.Errorf("a run of %d takes %d bytes", n, size)
		}
	}
}

func FuzzRuns(f *testing.F) {
	f.Add([]byte{0, 1, 1, 1, 1, 0, 1, 1, 1, 1}, uint16(5))
	f.Fuzz(func(t *testing.T, raw []byte, stride uint16) {
		inflated(t, raw, int(stride%32768)+1)
	})
}
