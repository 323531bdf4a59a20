package link

import (
	"strings"
	"testing"
	"time"
)

func TestAKeyIsMadeOnceAndOnlyItsHashIsKept(t *testing.T) {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	key, k := MakeKey("rk_1", "GPU box", []string{"gpu", "cuda", "gpu"}, "Ann", at)
	prefix, ok := keyPrefix(key)
	if !ok || k.Prefix != prefix || k.Hash != HashKey(key) || strings.Contains(k.Hash, key) {
		t.Errorf("the key %s has the record %+v", key, k)
	}
	if k.ID != "rk_1" || k.Name != "GPU box" || strings.Join(k.Labels, " ") != "cuda gpu" || k.CreatedBy != "Ann" || !k.CreatedAt.Equal(at) {
		t.Errorf("the record is %+v", k)
	}
	if other, _ := MakeKey("rk_2", "GPU box", nil, "Ann", at); other == key {
		t.Error("two keys are the same")
	}
}

func TestNamesAndLabelsOfKeysAreChecked(t *testing.T) {
	for name, good := range map[string]bool{
		"GPU box": true, "labör": true, strings.Repeat("x", 100): true,
		"": false, " x": false, "two\nlines": false, "a\tb": false, "\x00": false, "\xff": false, strings.Repeat("x", 101): false,
	} {
		if p := CheckKeyName(name); (p == "") != good {
			t.Errorf("the name %q: %q, want it good: %t", name, p, good)
		}
	}
	for _, c := range []struct {
		labels []string
		want   string
	}{
		{nil, ""},
		{[]string{"gpu", "lab/3"}, ""},
		{[]string{"gpu", "a b"}, `"a b" is no label`},
		{make([]string, maxLabels+1), "at most 32"},
	} {
		if p := CheckLabels(c.labels); (p == "") != (c.want == "") || !strings.Contains(p, c.want) {
			t.Errorf("the labels %q: %q, want %q", c.labels, p, c.want)
		}
	}
}
