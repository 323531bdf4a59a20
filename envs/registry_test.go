package envs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sharpie/envs"
)

func TestRegistry(t *testing.T) {
	r := envs.NewRegistry()
	var got map[string]any
	r.Register("B-v0", func(kwargs map[string]any) (envs.Environment, error) {
		got = kwargs
		return nil, nil
	})
	r.Register("A-v0", func(map[string]any) (envs.Environment, error) {
		return nil, envs.ErrInvalidArgument
	})
	if diff := cmp.Diff([]string{"A-v0", "B-v0"}, r.IDs()); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if _, err := r.Make("go:B-v0", map[string]any{"n": 1}); err != nil || got["n"] != 1 {
		t.Errorf("Make gives the factory %v, %v", got, err)
	}
	if _, err := r.Make("go:A-v0", nil); !errors.Is(err, envs.ErrInvalidArgument) || !strings.Contains(err.Error(), "go:A-v0") {
		t.Errorf("the factory's error became %v", err)
	}
	for _, source := range []string{"B-v0", "go:b-v0", "gymnasium:B-v0", "go:", ""} {
		_, err := r.Make(source, nil)
		if !errors.Is(err, envs.ErrUnknown) || !strings.Contains(err.Error(), "go:A-v0, go:B-v0") {
			t.Errorf("Make(%q) returned %v, want what is known", source, err)
		}
	}
}

func TestKwargs(t *testing.T) {
	k := envs.NewKwargs(map[string]any{
		"n": 4.0, "x": 2, "flag": true, "kind": "b", "list": []any{"p", "q"}, "none": nil,
	})
	got := []any{
		k.Int("n", 1, 0, 9), k.Float("x", 0, 0, 9), k.Bool("flag", false),
		k.OneOf("kind", "a", "a", "b"), strings.Join(k.Strings("list"), "+"),
		k.Int("none", 7, 0, 9), k.Float("absent", 0.5, 0, 1),
	}
	want := []any{int64(4), 2.0, true, "b", "p+q", int64(7), 0.5}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if err := k.Err(); err != nil {
		t.Error(err)
	}
}

func TestKwargsErrors(t *testing.T) {
	k := envs.NewKwargs(map[string]any{
		"n": 12, "x": "fast", "flag": 1, "kind": "c", "list": []any{1}, "speling": 1,
	})
	k.Int("n", 1, 0, 9)
	k.Float("x", 0, 0, 9)
	k.Bool("flag", false)
	k.OneOf("kind", "a", "a", "b")
	k.Strings("list")
	err := k.Err()
	if !errors.Is(err, envs.ErrInvalidArgument) {
		t.Fatalf("the error is %v", err)
	}
	for _, want := range []string{
		"n must be an integer from 0 to 9, not the number 12",
		`x must be a number from 0 to 9, not the text "fast"`,
		"flag must be true or false, not the number 1",
		`kind must be one of a, b, not the text "c"`,
		"list must be a list of strings, not the number 1",
		`unknown "speling"; allowed are n: an integer from 0 to 9; x: `,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}
