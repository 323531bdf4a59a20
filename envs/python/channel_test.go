package python

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sharpie/envs"
	"sharpie/envs/python/pythontest"
)

// frameOf is a frame of a header and blobs.
func frameOf(head string, blobs ...[]byte) []byte {
	body := binary.LittleEndian.AppendUint32(nil, uint32(len(head)))
	body = append(body, head...)
	for _, b := range blobs {
		body = append(binary.LittleEndian.AppendUint32(body, uint32(len(b))), b...)
	}
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func FuzzFrames(f *testing.F) {
	f.Add(frameOf(`{"ok":{"frame":{"$array":0,"dtype":"uint8","shape":[1,1,3]},"roles":[{"role":"a","observation":{"$tuple":[1,2.5,"x",null,true]}}]}}`, []byte{1, 2, 3}))
	f.Add(frameOf(`{"ok":{"roles":[{"type":"box","dtype":"float32","shape":[2],"low":["-inf",0],"high":1}]}}`))
	f.Add(frameOf(`{"error":{"phase":"step","message":"\ud83d\ude00 \u00e4"}}`))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255})
	f.Add([]byte{255, 255, 255, 15, 255, 255, 255, 3, '{'})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newFrameReader(bytes.NewReader(data))
		for range 3 {
			m, err := r.read()
			if err != nil {
				return
			}
			ok := m.head.get("ok")
			_, _ = m.picture(ok.get("frame"))
			for i := range ok.get("roles").list {
				n := &ok.get("roles").list[i]
				if v, err := m.value(n.get("observation")); err == nil {
					_ = envs.ToDocument(v)
					for _, s := range []envs.Space{envs.Discrete{N: 3}, envs.NewBox(envs.Float32, 0, 1, 2), envs.MultiBinary{Shape: []int{2}}} {
						if c, err := Coerce(s, v); err == nil && s.Contains(c) != nil {
							t.Errorf("Coerce returned %v, which is not in %s", c, s)
						}
					}
				}
				_, _ = m.info(n.get("info"))
				_, _ = mask(n.get("mask"))
				_, _ = space(n, 0)
			}
			_ = reported(m.head.get("error"), "")
		}
	})
}

func TestHostileLengthsTakeNoMemory(t *testing.T) {
	data := append(binary.LittleEndian.AppendUint32(nil, 250<<20), 2, 0, 0, 0, '{', '}')
	data = binary.LittleEndian.AppendUint32(data, 249<<20)
	got := testing.AllocsPerRun(1, func() {
		if _, err := newFrameReader(bytes.NewReader(data)).read(); err == nil {
			t.Error("a frame without its blob was read")
		}
	})
	var before, after = memory(), uint64(0)
	_, _ = newFrameReader(bytes.NewReader(data)).read()
	if after = memory(); after-before > 8<<20 {
		t.Errorf("%d bytes were taken for a blob that never came (%v allocations)", after-before, got)
	}
}

func TestValuesCrossUnchanged(t *testing.T) {
	dict := envs.DictSpace{{Key: "a", Space: envs.Discrete{N: 3}}, {Key: "b", Space: envs.TupleSpace{envs.NewBox(envs.Float64, -1, 1, 2), envs.TextSpace{MaxLength: 9}}}}
	for _, c := range []struct {
		space envs.Space
		value envs.Value
	}{
		{envs.Discrete{N: 3}, envs.Int(2)},
		{envs.NewBox(envs.Float32, -1, 1, 2), envs.NewFloat32Array(0.5, -1)},
		{envs.MultiDiscrete{Nvec: []int64{3, 4}}, envs.NewInt64Array(1, 3)},
		{envs.TextSpace{MaxLength: 20}, envs.Text("ä \"quoted\" \\ \n<b>")},
		{dict, envs.Dict{{Key: "a", Value: envs.Int(1)}, {Key: "b", Value: envs.Tuple{envs.NewFloat64Array(0.25, -0.5), envs.Text("x")}}}},
		{envs.Opaque{}, envs.Tuple{envs.Int(1), scalar(1), scalar(math.Inf(-1)), boolean(true), envs.Text("x"), envs.Tuple{}}},
		{envs.Opaque{}, envs.Int(math.MinInt64)},
	} {
		var q request
		q.begin("x").raw(`,"v":`).value(c.space, c.value)
		pieces, err := q.frame()
		if err != nil {
			t.Fatal(err)
		}
		m, err := newFrameReader(bytes.NewReader(bytes.Join(pieces, nil))).read()
		if err != nil {
			t.Fatalf("%v: %v", c.space, err)
		}
		got, err := m.value(m.head.get("v"))
		if err != nil || !envs.Equal(got, c.value) {
			t.Errorf("of %s, %v arrived as %v (%v)", c.space, c.value, got, err)
		}
		s, err := func() (envs.Space, error) {
			q.begin("x").raw(`,"v":`).space(c.space)
			pieces, _ := q.frame()
			m, err := newFrameReader(bytes.NewReader(bytes.Join(pieces, nil))).read()
			if err != nil {
				return nil, err
			}
			return space(m.head.get("v"), 0)
		}()
		if err != nil || s.String() != c.space.String() {
			t.Errorf("the space %s arrived as %v (%v)", c.space, s, err)
		}
	}
}

func TestCoerce(t *testing.T) {
	box := envs.NewBox(envs.Float32, -1, 1, 2)
	for _, c := range []struct {
		space envs.Space
		from  envs.Value
		to    envs.Value // nil: refused
	}{
		{envs.Discrete{N: 3}, scalar(2), envs.Int(2)},
		{envs.Discrete{N: 3}, boolean(true), envs.Int(1)},
		{envs.Discrete{N: 3}, envs.NewInt64Array(2), envs.Int(2)},
		{envs.Discrete{N: 3}, scalar(1.5), nil},
		{envs.Discrete{N: 3}, envs.Int(3), nil},
		{envs.Discrete{N: 3}, envs.Text("1"), nil},
		{box, envs.Tuple{envs.Int(1), scalar(-0.5)}, envs.NewFloat32Array(1, -0.5)},
		{box, envs.NewFloat64Array(1, -0.5), envs.NewFloat32Array(1, -0.5)},
		{box, envs.NewFloat64Array(1), nil},
		{box, envs.NewFloat64Array(1, 2), nil},
		{envs.NewBox(envs.Float32, -1, 1, 1), scalar(0.5), envs.NewFloat32Array(0.5)},
		{envs.MultiBinary{Shape: []int{2}}, envs.Tuple{boolean(true), envs.Int(0)}, envs.Array{DType: envs.Int8, Shape: []int{2}, Data: []byte{1, 0}}},
		{envs.MultiDiscrete{Nvec: []int64{2, 2}}, envs.Tuple{scalar(1), envs.Int(2)}, nil},
		{envs.Opaque{}, envs.Text("left"), envs.Text("left")},
	} {
		got, err := Coerce(c.space, c.from)
		switch {
		case c.to == nil && err == nil:
			t.Errorf("%s takes %v as %v", c.space, c.from, got)
		case c.to != nil && (err != nil || !envs.Equal(got, c.to)):
			t.Errorf("%s takes %v as %v (%v) instead of %v", c.space, c.from, got, err, c.to)
		}
	}
}

// hello is a worker that speaks the protocol only to its first word.
const hello = `import os, socket, struct, sys
s = socket.socket(fileno=3)
def send(head):
    s.sendall(struct.pack("<II", 4 + len(head), len(head)) + head)
send(b'{"op": "hello", "protocol": 1, "python": "3", "pid": %d}' % os.getpid())
s.recv(65536)
`

func TestWorkersThatSendRubbishEnd(t *testing.T) {
	path := pythontest.Interpreter(t)
	for _, c := range []struct{ name, code, in string }{
		{"no hello", `import os; os.write(3, b"x" * 100); os.read(3, 1)`, ""},
		{"bytes", hello + `s.sendall(os.urandom(1 << 16))` + "\ns.recv(1)", ""},
		{"huge lengths", hello + `s.sendall(b"\xff" * 8)` + "\ns.recv(1)", "a frame of 4294967295 bytes"},
		{"no JSON", hello + `send(b"{]")` + "\ns.recv(1)", "no JSON"},
		{"nested", hello + `send(b"[" * 100000)` + "\ns.recv(1)", "nested too deeply"},
		{"neither ok nor error", hello + `send(b"{}")` + "\ns.recv(1)", "neither ok nor an error"},
		{"no roles", hello + `send(b'{"ok": {}}')` + "\ns.recv(1)", "no role"},
		{"closes the channel", hello + "s.close()\nos.read(0, 1)\nimport time; time.sleep(100)", "closed its channel"},
		{"ends", hello + "sys.exit(5)", "exit code 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool := newTestPool(t, Config{program: []byte(c.code)})
			load := Load{Interpreter: Interpreter{Path: path}, Source: "gymnasium:X", Limits: Limits{Load: 10 * time.Second}}
			began := time.Now()
			_, err := pool.Open(context.Background(), load)
			var f *envs.Fault
			if !errors.As(err, &f) || !strings.Contains(f.Message, c.in) {
				t.Errorf("Open returned %v", err)
			}
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("it took %v", took)
			}
			left, err := filepath.Glob(filepath.Join(pool.dir, "w-*"))
			if err != nil || len(left) != 0 {
				t.Errorf("folders are left: %v (%v)", left, err)
			}
		})
	}
}

func TestOutputKeepsBothEnds(t *testing.T) {
	o := newOutput()
	o.add(0, []byte("first\nhal"))
	o.add(1, []byte("error\n"))
	o.add(0, []byte("f\nno end"))
	got := o.String()
	for _, want := range []string{"out: first\n", "err: error\n", "out: half\n", "out: no end\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	for range 100_000 {
		o.add(0, []byte("\xff a line that is printed again and again\n"))
	}
	o.add(1, []byte("the last"))
	got = o.String()
	if len(got) > 64<<10 || !strings.Contains(got, "out: first\n") || !strings.HasSuffix(got, "err: the last\n") || !strings.Contains(got, "lines left out") {
		t.Errorf("%d bytes, ends with %q", len(got), got[len(got)-100:])
	}
}

func TestBundlesMayNotLinkOutside(t *testing.T) {
	from := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(from, "passwd")); err != nil {
		t.Fatal(err)
	}
	if err := copyBundle(from, t.TempDir()); err == nil || !strings.Contains(err.Error(), "outside the bundle") {
		t.Errorf("a link out of the bundle: %v", err)
	}
}
