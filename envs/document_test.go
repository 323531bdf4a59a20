package envs_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sharpie/envs"
)

func TestDocumentsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		want := wild.Sample(rng, nil)
		data, err := json.Marshal(envs.ToDocument(want))
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		got, err := envs.FromDocument(wild, doc)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if !envs.Equal(got, want) {
			t.Fatalf("%s became %v, want %v", data, got, want)
		}
	}
}

func TestToDocument(t *testing.T) {
	matrix := envs.NewArray(envs.Uint8, 2, 3)
	matrix.Data[4] = 7
	tests := []struct {
		value envs.Value
		want  string
	}{
		{envs.Int(-3), `-3`},
		{envs.Text("hi"), `"hi"`},
		{matrix, `[[0,0,0],[0,7,0]]`},
		{envs.NewArray(envs.Float64), `0`},
		{envs.NewFloat32Array(0.1, float32(math.Inf(-1)), float32(math.NaN())), `[0.1,"-Infinity","NaN"]`},
		{envs.Array{DType: envs.Bool, Shape: []int{2}, Data: []byte{0, 1}}, `[false,true]`},
		{envs.Array{DType: envs.Uint64, Shape: []int{}, Data: []byte{255, 255, 255, 255, 255, 255, 255, 255}}, `18446744073709551615`},
		{envs.Tuple{envs.Int(1), envs.Dict{{Key: "k", Value: envs.Text("v")}}}, `[1,{"k":"v"}]`},
		{envs.Array{DType: "complex64", Shape: []int{1}}, `null`},
	}
	for _, tt := range tests {
		got, err := json.Marshal(envs.ToDocument(tt.value))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.value, diff)
		}
	}
}

func TestFromDocument(t *testing.T) {
	box := envs.NewBox(envs.Float32, -1, 1, 2)
	tests := []struct {
		name  string
		space envs.Space
		doc   any
		want  envs.Value
		err   string
	}{
		{"int of yaml", envs.Discrete{N: 3}, 2, envs.Int(2), ""},
		{"int of json", envs.Discrete{N: 3}, 2.0, envs.Int(2), ""},
		{"int of a number", envs.Discrete{N: 3}, json.Number("2"), envs.Int(2), ""},
		{"fraction", envs.Discrete{N: 3}, 1.5, nil, "takes an integer, not the number 1.5"},
		{"outside", envs.Discrete{N: 3}, 3, nil, "allowed are 0 to 2"},
		{"string for a number", envs.Discrete{N: 3}, "2", nil, `not the text "2"`},
		{"list for a box", box, []any{1, -0.5}, envs.NewFloat32Array(1, -0.5), ""},
		{"bare number for a box of one", envs.NewBox(envs.Float32, -1, 1, 1), 0.5, envs.NewFloat32Array(0.5), ""},
		{"short list", box, []any{1}, nil, "a list of 2, not a list of 1"},
		{"word in a list", box, []any{1, "x"}, nil, `element 1`},
		{"too large for the type", envs.NewBox(envs.Uint8, 0, 255, 1), []any{300}, nil, "takes 0 to 255, not 300"},
		{"text", envs.TextSpace{MaxLength: 5}, "go", envs.Text("go"), ""},
		{"number for text", envs.TextSpace{MaxLength: 5}, 5, nil, "takes text"},
		{"missing key", envs.DictSpace{{Key: "a", Space: envs.Discrete{N: 2}}}, map[string]any{"b": 1}, nil, `lacks the key "a"`},
		{"bits", envs.MultiBinary{Shape: []int{2}}, []any{true, 0}, envs.Array{DType: envs.Int8, Shape: []int{2}, Data: []byte{1, 0}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := envs.FromDocument(tt.space, tt.doc)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || got != nil {
					t.Fatalf("got %v, %v; want an error with %q", got, err, tt.err)
				}
				return
			}
			if err != nil || !envs.Equal(got, tt.want) {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestArrayElements(t *testing.T) {
	for _, d := range []envs.DType{envs.Float64, envs.Float32, envs.Int64, envs.Int32, envs.Int16, envs.Int8,
		envs.Uint8, envs.Uint16, envs.Uint32, envs.Uint64, envs.Bool} {
		v, err := envs.FromDocument(envs.NewBox(d, 0, 1, 3), []any{0, 1, 1})
		if err != nil {
			t.Fatalf("%s: %v", d, err)
		}
		a := v.(envs.Array)
		if diff := cmp.Diff([]float64{0, 1, 1}, a.Float64s()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d, diff)
		}
		if len(a.Data) != 3*d.Size() {
			t.Errorf("%s takes %d bytes, want %d", d, len(a.Data), 3*d.Size())
		}
	}
	if err := (envs.Array{DType: envs.Int8, Shape: []int{-1}}).Validate(); err == nil {
		t.Error("a negative dimension is accepted")
	}
	if err := (envs.Array{DType: envs.Int8, Shape: []int{1 << 30, 1 << 30}}).Validate(); err == nil {
		t.Error("a shape beyond all memory is accepted")
	}
}

// FuzzFromDocument makes sure that whatever is accepted lies in its space and
// survives being written down again.
func FuzzFromDocument(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 5 {
		data, _ := json.Marshal(envs.ToDocument(wild.Sample(rng, nil)))
		f.Add(data)
	}
	for i := range wild {
		f.Add([]byte(`[[` + wild[i].Key + `]]`))
	}
	f.Add([]byte(`{"pos":[1e400,"NaN"],"pair":[0.5,""],"pixels":[[256]],"multi":null,"bits":[true],"free":{"a":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var doc any
		if json.Unmarshal(data, &doc) != nil {
			return
		}
		spaces := []envs.Space{wild}
		for _, s := range wild {
			spaces = append(spaces, s.Space)
		}
		for _, s := range spaces {
			v, err := envs.FromDocument(s, doc)
			if err != nil {
				continue
			}
			if err := s.Contains(v); err != nil {
				t.Fatal(err)
			}
			again, err := envs.FromDocument(s, envs.ToDocument(v))
			if err != nil || !envs.Equal(v, again) {
				t.Fatalf("%s of %s became %v, %v", data, s, again, err)
			}
		}
	})
}
