package experiments

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"sharpie/envs"
)

// keyProposal is how a person plays a role with keys or texts.
type keyProposal struct {
	keys    []proposedKey
	def     any
	several bool // all held keys count
	texts   bool
}

// proposedKey is one key, what it stands for and how it is shown.
type proposedKey struct {
	key           string
	value         any
	symbol, label string
}

// freeKeys are given to actions that no arrow suits, in this order.
const freeKeys = "1234567890abcdefghijklmnopqrstuvwxyz"

// proposeKeys proposes the keys of a role. source is the environment's, for actions
// whose meanings only we know. turns: a step waits for an input, so that the default
// is no action. The error is a sentence that says why no keys can be proposed.
func proposeKeys(source string, r envs.RoleSpec, turns bool) (keyProposal, error) {
	switch space := r.Action.(type) {
	case envs.Discrete:
		return discreteKeys(space, meaningsOf(source, r), turns)
	case envs.Box:
		return boxKeys(space, turns)
	case envs.MultiBinary:
		return binaryKeys(space, r.ActionMeanings)
	case envs.MultiDiscrete:
		return multiKeys(space)
	case envs.TextSpace:
		return keyProposal{def: int64(0), texts: true}, nil
	case envs.Opaque:
		return keyProposal{}, fmt.Errorf("its actions are not declared, so that no keys can be proposed: give the participant keyboard_inputs")
	}
	return keyProposal{}, fmt.Errorf("an action of %v is several values at once, which cannot be played with keys: give the role a policy", r.Action)
}

func discreteKeys(space envs.Discrete, meanings []string, turns bool) (keyProposal, error) {
	p := keyProposal{def: space.Start}
	if space.N > int64(len(freeKeys)) {
		return p, fmt.Errorf("it has %d actions, more than there are keys for (%d): write keyboard_inputs for those that matter, or give the role a policy", space.N, len(freeKeys))
	}
	noop := int64(-1)
	for i, m := range meanings {
		if isNoop(m) {
			noop = int64(i)
			p.def = space.Start + noop
			break
		}
	}
	if turns { // outside of the space: every action may be meant
		p.def = space.Start - 1
	}
	taken, free := map[string]bool{}, freeKeys
	for i := range space.N {
		if i == noop && !turns {
			continue
		}
		k := proposedKey{value: space.Start + i, label: fmt.Sprintf("Action %d", space.Start+i)}
		if int(i) < len(meanings) {
			k.label = title(meanings[i])
			k.key, k.symbol = arrowOf(meanings[i])
		} else if space.N == 2 {
			k.key, k.symbol = arrowOf([]string{"left", "right"}[i])
		}
		if k.key == "" || taken[k.key] {
			k.key, free = free[:1], free[1:]
			k.symbol = strings.ToUpper(k.key)
		}
		taken[k.key] = true
		p.keys = append(p.keys, k)
	}
	return p, nil
}

// words are those of a meaning: "move_left", "Move left", "moveLeft" are two.
func words(meaning string) []string {
	var b strings.Builder
	for i, r := range meaning {
		if unicode.IsUpper(r) && i > 0 && strings.ToUpper(meaning) != meaning {
			b.WriteByte(' ')
		}
		if !unicode.IsLetter(r) {
			r = ' '
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}

func isNoop(meaning string) bool {
	switch strings.Join(words(meaning), " ") {
	case "noop", "no op", "no operation", "nothing", "do nothing", "don t accelerate", "no action", "none", "idle", "stay", "still", "stand still", "wait", "no torque":
		return true
	}
	return false
}

// arrowOf is the key that everybody would try for an action of that meaning; empty
// where there is none.
func arrowOf(meaning string) (key, symbol string) {
	for _, w := range words(meaning) {
		k, s := "", ""
		switch w {
		case "left", "west":
			k, s = "ArrowLeft", "←"
		case "right", "east":
			k, s = "ArrowRight", "→"
		case "up", "north", "forward":
			k, s = "ArrowUp", "↑"
		case "down", "south", "backward":
			k, s = "ArrowDown", "↓"
		case "fire", "jump", "shoot", "pickup":
			k, s = " ", "Space"
		}
		if k != "" && key != "" {
			return "", "" // "up right" is neither
		}
		if k != "" {
			key, symbol = k, s
		}
	}
	return key, symbol
}

// title is a meaning as a label.
func title(meaning string) string {
	w := words(meaning)
	if len(w) == 0 {
		return shorten(meaning, 60)
	}
	text := strings.Join(w, " ")
	return shorten(strings.ToUpper(text[:1])+text[1:], 60)
}

// boxKeys gives each dimension a pair of keys, for its bounds.
func boxKeys(space envs.Box, turns bool) (keyProposal, error) {
	n := product(space.Shape)
	if n > 3 || len(space.Shape) > 1 {
		return keyProposal{}, fmt.Errorf("an action has %d numbers, and keys are proposed for up to 3: write keyboard_inputs, or give the role a policy", n)
	}
	rest := make([]float64, n)
	for i := range rest {
		low, high := space.Bounds(i)
		if math.IsInf(low, 0) || math.IsInf(high, 0) {
			return keyProposal{}, fmt.Errorf("its actions have no bounds, so that no keys can be proposed: write keyboard_inputs, or give the role a policy")
		}
		rest[i] = min(max(0, low), high)
	}
	p := keyProposal{several: n > 1, def: numbersOf(space, rest)}
	pairs := [3][2]proposedKey{
		{{key: "ArrowLeft", symbol: "←"}, {key: "ArrowRight", symbol: "→"}},
		{{key: "ArrowDown", symbol: "↓"}, {key: "ArrowUp", symbol: "↑"}},
		{{key: "a", symbol: "A"}, {key: "d", symbol: "D"}},
	}
	for i := range rest {
		low, high := space.Bounds(i)
		for side, bound := range [2]float64{low, high} {
			if bound == rest[i] {
				continue
			}
			to := append([]float64(nil), rest...)
			to[i] = bound
			k := pairs[i][side]
			k.value, k.label = numbersOf(space, to), fmt.Sprintf("%g", bound)
			if n > 1 {
				k.label = fmt.Sprintf("%d: %g", i+1, bound)
			}
			p.keys = append(p.keys, k)
		}
	}
	if turns { // every action may be meant, also the one in the middle
		low, _ := space.Bounds(0)
		p.keys = append(p.keys, proposedKey{key: " ", symbol: "Space", label: "Nothing", value: p.def})
		p.def, p.several = plainFloat(low-1), false
	}
	return p, nil
}

// numbersOf is an action as it stands in a file.
func numbersOf(space envs.Box, values []float64) any {
	if len(values) == 1 {
		return plainFloat(values[0])
	}
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = plainFloat(v)
	}
	return out
}

func plainFloat(f float64) any {
	f = float64(float32(f)) // bounds are often float32: 0.1, not 0.10000000149
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	short, _ := parseShort(f)
	return short
}

// parseShort is the shortest decimal that is the same float32.
func parseShort(f float64) (float64, error) {
	var out float64
	_, err := fmt.Sscan(fmt.Sprint(float32(f)), &out)
	return out, err
}

func binaryKeys(space envs.MultiBinary, meanings []string) (keyProposal, error) {
	n := product(space.Shape)
	if n > len(freeKeys) || len(space.Shape) > 1 {
		return keyProposal{}, fmt.Errorf("an action has %d switches, more than keys are proposed for (%d): give the role a policy", n, len(freeKeys))
	}
	rest := make([]any, n)
	p := keyProposal{def: rest, several: true}
	taken, free := map[string]bool{}, freeKeys
	for i := range n {
		rest[i] = int64(0)
		k := proposedKey{value: int64(i), label: fmt.Sprintf("Switch %d", i+1)}
		if i < len(meanings) && meanings[i] != "" {
			k.label = title(meanings[i])
			k.key, k.symbol = arrowOf(meanings[i])
		}
		if k.key == "" || taken[k.key] {
			k.key, free = free[:1], free[1:]
			k.symbol = strings.ToUpper(k.key)
		}
		taken[k.key] = true
		p.keys = append(p.keys, k)
	}
	return p, nil
}

// multiKeys gives each value of each component a key; the first one of each is the
// default.
func multiKeys(space envs.MultiDiscrete) (keyProposal, error) {
	rest := make([]any, len(space.Nvec))
	for i := range rest {
		rest[i] = int64(0)
	}
	p := keyProposal{def: rest, several: true}
	for i, n := range space.Nvec {
		for v := int64(1); v < n; v++ {
			if len(p.keys) == len(freeKeys) {
				return p, fmt.Errorf("an action of %v needs more keys than are proposed (%d): write keyboard_inputs, or give the role a policy", space, len(freeKeys))
			}
			to := append([]any(nil), rest...)
			to[i] = v
			key := freeKeys[len(p.keys) : len(p.keys)+1]
			p.keys = append(p.keys, proposedKey{key: key, symbol: strings.ToUpper(key), label: fmt.Sprintf("%d: %d", i+1, v), value: to})
		}
	}
	return p, nil
}

// known are the meanings of actions that environments do not tell themselves, from
// their documentation, by the beginning of the source.
var known = []struct {
	prefix   string
	meanings []string
}{
	{"gymnasium:MountainCar-", []string{"push left", "nothing", "push right"}},
	{"gymnasium:CartPole-", []string{"push left", "push right"}},
	{"gymnasium:Acrobot-", []string{"push left", "nothing", "push right"}},
	{"gymnasium:LunarLander-", []string{"nothing", "left engine", "main engine up", "right engine"}},
	{"gymnasium:FrozenLake", []string{"left", "down", "right", "up"}},
	{"gymnasium:CliffWalking", []string{"up", "right", "down", "left"}},
	{"gymnasium:Taxi-", []string{"south", "north", "east", "west", "pickup", "drop off"}},
	{"gymnasium:Blackjack-", []string{"stick", "hit"}},
	{"pettingzoo:mpe2.", []string{"nothing", "left", "right", "down", "up"}},
}

// meaningsOf names the actions of a role: as the environment says, else as we know.
func meaningsOf(source string, r envs.RoleSpec) []string {
	if len(r.ActionMeanings) > 0 {
		return r.ActionMeanings
	}
	d, _ := r.Action.(envs.Discrete)
	for _, k := range known {
		if strings.HasPrefix(source, k.prefix) && d.N == int64(len(k.meanings)) {
			return k.meanings
		}
	}
	return nil
}
