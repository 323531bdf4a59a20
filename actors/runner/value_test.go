package runner

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"sharpie/actors/messages"
	"sharpie/envs"
)

func TestValuesSurviveTheirMessage(t *testing.T) {
	for _, v := range []envs.Value{
		envs.Int(-5), envs.Int(math.MaxInt64), envs.Text("héllo"), envs.Text(""),
		envs.Array{DType: envs.Float32, Shape: []int{2, 1}, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}},
		envs.Array{DType: envs.Uint8, Shape: []int{0}, Data: []byte{}},
		envs.Array{DType: envs.Float64, Shape: []int{}, Data: []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}},
		envs.Tuple{envs.Int(1), envs.Tuple{envs.Text("x")}},
		envs.Dict{{Key: "b", Value: envs.Int(1)}, {Key: "a", Value: envs.Text("x")}},
	} {
		wire, err := proto.Marshal(ToMessage(v))
		if err != nil {
			t.Fatal(err)
		}
		var m messages.Value
		if err := proto.Unmarshal(wire, &m); err != nil {
			t.Fatal(err)
		}
		got, err := FromMessage(&m)
		if err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		if d := cmp.Diff(normal(v), normal(got)); d != "" {
			t.Errorf("%v came back otherwise (-want +got):\n%s", v, d)
		}
	}
}

// normal makes empty bytes nil, which protobuf does not tell apart.
func normal(v envs.Value) envs.Value {
	if a, ok := v.(envs.Array); ok && len(a.Data) == 0 {
		a.Data = nil
		return a
	}
	return v
}

func TestMalformedValueMessagesAreRefused(t *testing.T) {
	array := func(dtype string, data int, shape ...int64) *messages.Value {
		return &messages.Value{Kind: &messages.Value_Array{Array: &messages.Array{Dtype: dtype, Shape: shape, Data: make([]byte, data)}}}
	}
	for name, m := range map[string]*messages.Value{
		"nothing":        {},
		"unknown dtype":  array("complex64", 8, 1),
		"too few bytes":  array("float32", 7, 2),
		"negative shape": array("uint8", 0, -1),
		"huge shape":     array("uint8", 0, 1<<40, 1<<40),
		"in a tuple":     {Kind: &messages.Value_Tuple{Tuple: &messages.List{Items: []*messages.Value{{}}}}},
		"in a dict":      {Kind: &messages.Value_Dict{Dict: &messages.Dict{Entries: []*messages.Entry{{Key: "a", Value: array("no", 0)}}}}},
	} {
		if v, err := FromMessage(m); err == nil {
			t.Errorf("%s became %v, want an error", name, v)
		}
	}
}

func TestInfoBecomesJSON(t *testing.T) {
	for want, info := range map[string]map[string]any{
		"":                                nil,
		`{"a":1,"b":[true,"x"]}`:          {"a": 1, "b": []any{true, "x"}},
		`{"a":"NaN","b":["Infinity",1]}`:  {"a": math.NaN(), "b": []float64{math.Inf(1), 1}},
		`{"m":{"x":"-Infinity","y":"a"}}`: {"m": map[string]any{"x": math.Inf(-1), "y": "a"}},
	} {
		if got := string(infoJSON(info)); got != want {
			t.Errorf("info is %s, want %s", got, want)
		}
	}
	if got := infoJSON(map[string]any{"f": func() {}}); len(got) == 0 {
		t.Error("an info that JSON cannot express must leave something")
	}
}

func TestRolesAreFound(t *testing.T) {
	env := newWalk("agent_0", "agent_1").Spec()
	for name, c := range map[string]struct {
		roles []string
		alias string
		want  string // the environment's roles by agent; "" is an error
	}{
		"by name":             {roles: []string{"agent_1", "agent_0"}, want: "[agent_1 agent_0]"},
		"by ending":           {roles: []string{"red_agent_0", "blue_agent_1"}, want: "[agent_0 agent_1]"},
		"by env_agent_id":     {roles: []string{"hero", "agent_1"}, alias: "agent_0", want: "[agent_0 agent_1]"},
		"twice the same":      {roles: []string{"agent_0", "x_agent_0"}},
		"one too few":         {roles: []string{"agent_0"}},
		"unknown":             {roles: []string{"hero", "agent_1"}},
		"unknown alias":       {roles: []string{"agent_0", "agent_1"}, alias: "agent_7"},
		"ending, but no word": {roles: []string{"reagent_0", "agent_1"}},
	} {
		def := definition(c.roles...)
		def.Agents[0].EnvAgentID = c.alias
		p, err := newPlan(def, env)
		if err != nil {
			if c.want != "" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		got := []string{}
		for _, r := range p.roles {
			got = append(got, string(r.spec.Role))
		}
		if d := cmp.Diff(c.want, "["+got[0]+" "+got[1]+"]"); d != "" {
			t.Errorf("%s: other roles (-want +got):\n%s", name, d)
		}
	}
	single, err := newPlan(definition("player"), newWalk("agent_0").Spec())
	if err != nil || single.roles[0].spec.Role != "agent_0" {
		t.Errorf("the only agent must play the only role, whatever its name: %v", err)
	}
}

func FuzzFromMessage(f *testing.F) {
	for _, v := range []envs.Value{envs.Int(3), envs.Tuple{envs.Text("x")}, envs.Array{DType: envs.Int8, Shape: []int{1}, Data: []byte{1}}} {
		wire, err := proto.Marshal(ToMessage(v))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var m messages.Value
		if proto.Unmarshal(wire, &m) != nil {
			return
		}
		v, err := FromMessage(&m)
		if err != nil || v == nil {
			return
		}
		if again, err := FromMessage(ToMessage(v)); err != nil || !cmp.Equal(normal(v), normal(again)) {
			t.Fatalf("%v came back as %v (%v)", v, again, err)
		}
	})
}
