package runner

import "sharpie/actors/messages"

// held is what a seat carries from one step to the next.
type held struct {
	// down is the mapped keys that are held, oldest press first.
	down []uint8
	// texts wait for a step of their own, oldest first.
	texts []string
	// muted are keys of down's kind that are held since before the role's turn, and
	// count for nothing until they are released.
	muted []uint8
}

// forget is what a role that waits for its turn keeps of its inputs: no texts, and
// in turn-based play no keys either, so that nothing that was meant for an earlier
// state acts by surprise. In real time a key that is held on counts as such.
func (h *held) forget(turns bool) {
	h.texts = nil
	if turns {
		h.muted, h.down = append(h.muted[:len(h.muted):len(h.muted)], h.down...), nil
	}
}

// audible takes muted keys out of those held; who lets one go hears it again.
func (h *held) audible(now []uint8) []uint8 {
	if len(h.muted) == 0 {
		return now
	}
	muted, rest := []uint8(nil), now[:0]
	for _, k := range now {
		if contains(h.muted, k) {
			muted = append(muted, k)
		} else {
			rest = append(rest, k)
		}
	}
	h.muted = muted
	return rest
}

// maxTexts bounds the texts of one seat that wait; the oldest go first.
const maxTexts = 64

// merged is what the inputs since the step before amount to.
type merged struct {
	reading *reading
	// fresh: an input since the step before pressed a key, repeated the keys that
	// are held, or carried a text. Without it, the reading is of keys held on.
	fresh bool
	after held
}

// merge makes one value of a seat's inputs since the step before. It is pure but
// for the keymap's memory of combinations.
//
// A key counts if it is held now, or was pressed since the step before: a tap
// counts once, however short, also while another key is held; releasing a key
// that counted before does not. Of a seat with one key at a time the newest
// press counts, else all of them in the order of their presses. A text counts
// instead of keys, one per step, in the order of arrival. Keys that the seat
// does not have count for nothing.
func merge(m *keymap, before held, inputs []*messages.Input) merged {
	if len(inputs) == 0 {
		if len(before.texts) == 0 {
			return merged{reading: m.reading(before.down), after: before}
		}
	}
	var (
		out  = merged{after: held{texts: before.texts, muted: before.muted}}
		down = before.down
		seq  = append(make([]uint8, 0, len(before.down)+4), before.down...)
	)
	// The newest press of each key is its place in seq; tapped marks presses since.
	tapped := make([]bool, len(m.keys))
	for _, in := range inputs {
		now := out.after.audible(mapped(m, in.GetKeys()))
		pressed := false
		for _, k := range now {
			if !contains(down, k) {
				seq, tapped[k], pressed = append(without(seq, k), k), true, true
			}
		}
		if pressed || (len(now) > 0 && len(now) == len(down)) {
			out.fresh = true
		}
		down = now
		if m.texts && in.Text != nil {
			out.fresh = true
			out.after.texts = append(out.after.texts[:len(out.after.texts):len(out.after.texts)], in.GetText())
			if n := len(out.after.texts); n > maxTexts {
				out.after.texts = out.after.texts[n-maxTexts:]
			}
		}
	}
	out.after.down = down
	if len(out.after.texts) > 0 {
		out.reading, out.fresh = m.text(out.after.texts[0]), true
		out.after.texts = out.after.texts[1:]
		return out
	}
	counts := seq[:0]
	for _, k := range seq {
		if tapped[k] || contains(down, k) {
			counts = append(counts, k)
		}
	}
	out.reading = m.reading(counts)
	return out
}

// readInput is what one raw input stands for by itself.
func readInput(m *keymap, in *messages.Input) *reading {
	if m.texts && in.Text != nil {
		return m.text(in.GetText())
	}
	return m.reading(mapped(m, in.GetKeys()))
}

// mapped returns the seat's keys among those held, each once, in their order.
func mapped(m *keymap, keys []string) []uint8 {
	var out []uint8
	for _, key := range keys {
		if i := m.index(key); i >= 0 && !contains(out, uint8(i)) {
			out = append(out, uint8(i))
		}
	}
	return out
}

func contains(keys []uint8, k uint8) bool {
	for _, x := range keys {
		if x == k {
			return true
		}
	}
	return false
}

func without(keys []uint8, k uint8) []uint8 {
	for i, x := range keys {
		if x == k {
			return append(keys[:i], keys[i+1:]...)
		}
	}
	return keys
}
