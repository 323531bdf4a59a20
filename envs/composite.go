package envs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

var (
	_ Space = TextSpace{}
	_ Space = TupleSpace{}
	_ Space = DictSpace{}
)

// alphanumeric is what an unrestricted TextSpace samples from.
const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Contains accepts valid UTF-8 of the right number of characters (code points),
// all of them in Charset.
func (s TextSpace) Contains(v Value) error {
	t, ok := v.(Text)
	if !ok {
		return fmt.Errorf("%s takes text, not %s", s, describe(v))
	}
	if !utf8.ValidString(string(t)) {
		return fmt.Errorf("%s takes valid UTF-8", s)
	}
	if n := utf8.RuneCountInString(string(t)); n < s.MinLength || n > s.MaxLength {
		return fmt.Errorf("a text of %d characters is outside %s: allowed are %d to %d", n, s, s.MinLength, s.MaxLength)
	}
	if s.Charset == "" {
		return nil
	}
	for _, r := range string(t) {
		if !strings.ContainsRune(s.Charset, r) {
			return fmt.Errorf("the character %q is outside %s: allowed are %q", r, s, s.Charset)
		}
	}
	return nil
}

// Sample draws a uniform length, then uniform characters (letters and digits
// where Charset is empty). The mask is not used.
func (s TextSpace) Sample(rng *rand.Rand, _ []bool) Value {
	chars := []rune(s.Charset)
	if len(chars) == 0 {
		chars = []rune(alphanumeric)
	}
	n := s.MinLength + rng.IntN(max(s.MaxLength-s.MinLength, 0)+1)
	out := make([]rune, n)
	for i := range out {
		out[i] = chars[rng.IntN(len(chars))]
	}
	return Text(out)
}

func (s TextSpace) String() string {
	return fmt.Sprintf("Text(%d, %d)", s.MinLength, s.MaxLength)
}

// Contains accepts a tuple of as many values, each in its space.
func (s TupleSpace) Contains(v Value) error {
	t, ok := v.(Tuple)
	if !ok || len(t) != len(s) {
		return fmt.Errorf("%s takes a tuple of %d, not %s", s, len(s), describe(v))
	}
	for i, sub := range s {
		if err := sub.Contains(t[i]); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	return nil
}

// Sample draws every item by itself; the mask is not used.
func (s TupleSpace) Sample(rng *rand.Rand, _ []bool) Value {
	out := make(Tuple, len(s))
	for i, sub := range s {
		out[i] = sub.Sample(rng, nil)
	}
	return out
}

func (s TupleSpace) String() string {
	parts := make([]string, len(s))
	for i, sub := range s {
		parts[i] = sub.String()
	}
	return "Tuple(" + strings.Join(parts, ", ") + ")"
}

// Contains accepts a dict with exactly these keys, in this order, each value in
// its space.
func (s DictSpace) Contains(v Value) error {
	d, ok := v.(Dict)
	if !ok || len(d) != len(s) {
		return fmt.Errorf("%s takes a dict of %d, not %s", s, len(s), describe(v))
	}
	for i, sub := range s {
		if d[i].Key != sub.Key {
			return fmt.Errorf("%s takes %q as its key %d, not %q", s, sub.Key, i, d[i].Key)
		}
		if err := sub.Space.Contains(d[i].Value); err != nil {
			return fmt.Errorf("key %q: %w", sub.Key, err)
		}
	}
	return nil
}

// Sample draws every member by itself; the mask is not used.
func (s DictSpace) Sample(rng *rand.Rand, _ []bool) Value {
	out := make(Dict, len(s))
	for i, sub := range s {
		out[i] = Entry{Key: sub.Key, Value: sub.Space.Sample(rng, nil)}
	}
	return out
}

func (s DictSpace) String() string {
	parts := make([]string, len(s))
	for i, sub := range s {
		parts[i] = fmt.Sprintf("%q: %s", sub.Key, sub.Space)
	}
	return "Dict(" + strings.Join(parts, ", ") + ")"
}
