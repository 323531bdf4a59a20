package runner

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sharpie/actors/messages"
	"sharpie/envs"
	"sharpie/experiments"
)

// keys is a keymap: L is -1, R is 1, U is "up", idle is 0.
func keys(t *testing.T, several, texts bool) *keymap {
	t.Helper()
	m, err := newKeymap(&experiments.Agent{
		MultipleKeyboardInputs: several, TextualInputs: texts,
		KeyboardInputs: experiments.KeyMap{Default: int64(0), Bindings: []experiments.KeyBinding{
			{Key: "L", Value: int64(-1)}, {Key: "R", Value: int64(1)}, {Key: "U", Value: "up"}, {Key: "D", Value: int64(0)},
		}},
	}, envs.Discrete{N: 3, Start: -1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// in is a raw input; a text begins with "=".
func in(held ...string) *messages.Input {
	out := &messages.Input{}
	for _, h := range held {
		if h[0] == '=' {
			text := h[1:]
			out.Text = &text
			continue
		}
		out.Keys = append(out.Keys, h)
	}
	return out
}

func TestMerge(t *testing.T) {
	inputs := func(list ...*messages.Input) []*messages.Input { return list }
	for name, c := range map[string]struct {
		several, texts bool
		down           []uint8 // held at the step before: L 0, R 1, U 2, D 3
		waiting        []string
		inputs         []*messages.Input
		want           any
		fresh          bool
		after          []uint8
		textsAfter     []string
	}{
		"nothing":                             {want: int64(0)},
		"held on":                             {down: []uint8{0}, want: int64(-1), after: []uint8{0}},
		"pressed and held":                    {inputs: inputs(in("R")), want: int64(1), fresh: true, after: []uint8{1}},
		"a tap counts once":                   {inputs: inputs(in("R"), in()), want: int64(1), fresh: true},
		"a release does not count":            {down: []uint8{0}, inputs: inputs(in()), want: int64(0)},
		"the newest held wins":                {inputs: inputs(in("L"), in("L", "R")), want: int64(1), fresh: true, after: []uint8{0, 1}},
		"released newest, older goes on":      {down: []uint8{0, 1}, inputs: inputs(in("L")), want: int64(-1), after: []uint8{0}},
		"a tap counts beside a held key":      {down: []uint8{0}, inputs: inputs(in("L", "R"), in("L")), want: int64(1), fresh: true, after: []uint8{0}},
		"the last of two taps":                {inputs: inputs(in("R"), in(), in("L"), in()), want: int64(-1), fresh: true},
		"pressed after a tap":                 {inputs: inputs(in("R"), in(), in("L")), want: int64(-1), fresh: true, after: []uint8{0}},
		"held, released and pressed again":    {down: []uint8{0}, inputs: inputs(in(), in("L")), want: int64(-1), fresh: true, after: []uint8{0}},
		"held, released and tapped":           {down: []uint8{0}, inputs: inputs(in(), in("L"), in()), want: int64(-1), fresh: true},
		"the same keys sent again":            {down: []uint8{0}, inputs: inputs(in("L")), want: int64(-1), fresh: true, after: []uint8{0}},
		"unknown keys are nothing":            {inputs: inputs(in("Q", "Escape")), want: int64(0)},
		"an unknown key beside a known one":   {inputs: inputs(in("R", "Q")), want: int64(1), fresh: true, after: []uint8{1}},
		"a key named twice":                   {inputs: inputs(in("R", "R")), want: int64(1), fresh: true, after: []uint8{1}},
		"a key of the default's value":        {inputs: inputs(in("D")), want: int64(0), fresh: true, after: []uint8{3}},
		"several: nothing":                    {several: true, want: []any{int64(0)}},
		"several: one":                        {several: true, inputs: inputs(in("R")), want: []any{int64(1)}, fresh: true, after: []uint8{1}},
		"several: in the order of presses":    {several: true, inputs: inputs(in("R"), in("R", "L")), want: []any{int64(1), int64(-1)}, fresh: true, after: []uint8{1, 0}},
		"several: held and tapped":            {several: true, down: []uint8{0}, inputs: inputs(in("L", "R"), in("L")), want: []any{int64(-1), int64(1)}, fresh: true, after: []uint8{0}},
		"several: pressed again moves behind": {several: true, down: []uint8{0, 1}, inputs: inputs(in("R"), in("R", "L")), want: []any{int64(1), int64(-1)}, fresh: true, after: []uint8{1, 0}},
		"several: released":                   {several: true, down: []uint8{0, 1}, inputs: inputs(in("R")), want: []any{int64(1)}, after: []uint8{1}},
		"text once":                           {texts: true, inputs: inputs(in("=go left")), want: "go left", fresh: true},
		"texts one per step":                  {texts: true, inputs: inputs(in("=a"), in("=b")), want: "a", fresh: true, textsAfter: []string{"b"}},
		"a text that waited":                  {texts: true, waiting: []string{"b"}, want: "b", fresh: true},
		"text before keys":                    {texts: true, inputs: inputs(in("R", "=a")), want: "a", fresh: true, after: []uint8{1}},
		"text where none is wanted":           {inputs: inputs(in("=a")), want: int64(0)},
	} {
		t.Run(name, func(t *testing.T) {
			m := keys(t, c.several, c.texts)
			got := merge(m, held{down: c.down, texts: c.waiting}, c.inputs)
			if d := cmp.Diff(c.want, simple(got.reading.message)); d != "" {
				t.Errorf("another value (-want +got):\n%s", d)
			}
			if got.fresh != c.fresh {
				t.Errorf("fresh is %v, want %v", got.fresh, c.fresh)
			}
			if string(got.after.down) != string(c.after) {
				t.Errorf("keys %v are held on, want %v", got.after.down, c.after)
			}
			if d := cmp.Diff(c.textsAfter, append([]string(nil), got.after.texts...)); d != "" {
				t.Errorf("other texts wait (-want +got):\n%s", d)
			}
		})
	}
}

// simple is a value message as plain Go.
func simple(m *messages.Value) any {
	switch k := m.GetKind().(type) {
	case *messages.Value_Integer:
		return k.Integer
	case *messages.Value_Real:
		return k.Real
	case *messages.Value_Text:
		return k.Text
	case *messages.Value_Tuple:
		out := []any{}
		for _, i := range k.Tuple.Items {
			out = append(out, simple(i))
		}
		return out
	}
	return nil
}

func TestMergeKeepsTheNewestTexts(t *testing.T) {
	m := keys(t, false, true)
	var all []*messages.Input
	for range 3 * maxTexts {
		all = append(all, in("=old"))
	}
	for range maxTexts {
		all = append(all, in("=new"))
	}
	got := merge(m, held{}, all)
	if simple(got.reading.message) != "new" || len(got.after.texts) != maxTexts-1 {
		t.Errorf("%q counts and %d texts wait, want the newest %d", simple(got.reading.message), len(got.after.texts), maxTexts)
	}
}

func TestAListOfDefaultsIsIdle(t *testing.T) {
	m := keys(t, true, false)
	if got := merge(m, held{}, []*messages.Input{in("D")}); !got.reading.idle {
		t.Error("the list of the default alone must count as idle")
	}
	if got := merge(m, held{}, []*messages.Input{in("D", "R")}); got.reading.idle {
		t.Error("a list with another value must not count as idle")
	}
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte{1, 2, 0, 3, 4, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		names := []string{"L", "R", "U", "D", "Q"}
		for _, several := range []bool{false, true} {
			m := keys(t, several, true)
			state := held{}
			var batch []*messages.Input
			var now []string
			for _, b := range script {
				switch {
				case b < 5:
					now = append(append([]string(nil), now...), names[b])
				case b < 8 && len(now) > 0:
					now = now[1:]
				case b == 8:
					batch = append(batch, in("=t"))
				default:
					got := merge(m, state, batch)
					if got.reading == nil || len(got.after.down) > len(m.keys) || len(got.after.texts) > maxTexts {
						t.Fatalf("a merge without bounds: %+v", got)
					}
					state, batch = got.after, nil
				}
				batch = append(batch, in(now...))
			}
		}
	})
}
