package frames

import (
	"encoding/binary"
	"math/bits"
)

// runs writes raw rows as one deflate block (RFC 1951) with the fixed codes and
// only two kinds of repetition: of the byte before, and of the row above. That is
// most of what there is to find in a small picture of few colours, and it takes a
// fifth of the time of a general compressor, which spends it on making codes.
type runs struct {
	out  []byte
	bits uint64 // not yet written, from the lowest
	n    uint   // number of bits
}

// code is some bits to write, lowest first.
type code struct {
	bits uint32
	n    uint8
}

// The fixed codes of RFC 1951, section 3.2.6: one for each literal and for the end
// of the block, and one for each match length with its extra bits.
var literals, lengths = fixedCodes()

const endOfBlock = 256

func fixedCodes() (lit [257]code, length [259]code) {
	symbol := func(s int) code {
		switch {
		case s < 144:
			return reversed(0x30+s, 8)
		case s < 256:
			return reversed(0x190+s-144, 9)
		case s < 280:
			return reversed(s-256, 7)
		}
		return reversed(0xC0+s-280, 8)
	}
	for s := range lit {
		lit[s] = symbol(s)
	}
	// Lengths 3 to 257 in groups of 2^extra, four groups to each number of extra
	// bits but for the first eight; 258 has a symbol of its own.
	s, at := 257, 3
	for extra := 0; at < 258; extra++ {
		groups := 4
		if extra == 0 {
			groups = 8
		}
		for range groups {
			for i := 0; i < 1<<extra && at < 258; i++ {
				c := symbol(s)
				length[at] = code{c.bits | uint32(i)<<c.n, c.n + uint8(extra)}
				at++
			}
			s++
		}
	}
	length[258] = symbol(285)
	return lit, length
}

// reversed is a Huffman code of n bits, which is written from its highest bit.
func reversed(c, n int) code {
	return code{uint32(bits.Reverse32(uint32(c)) >> (32 - n)), uint8(n)}
}

// distance is the code of a distance, 1 to 32,768, with its extra bits.
func distance(d int) code {
	if d <= 4 {
		return reversed(d-1, 5)
	}
	extra := bits.Len(uint(d-1)) - 2
	symbol := 2*extra + 2 + (d-1)>>extra&1 // above 4: 2 symbols to each number of extra bits
	c := reversed(symbol, 5)
	return code{c.bits | uint32((d-1)&(1<<extra-1))<<5, uint8(5 + extra)}
}

// maxMatch and minMatch bound the length of a match, in bytes.
const (
	minMatch = 3
	maxMatch = 258
)

// deflate appends the block to out. stride is the length of a row in raw, at
// most 32,768.
func (r *runs) deflate(out, raw []byte, stride int) []byte {
	r.out, r.bits, r.n = out, 0b011, 3 // the last block, with the fixed codes
	before, above := distance(1), distance(stride)
	for i := 0; i < len(raw); {
		most := min(len(raw)-i, maxMatch)
		length, from := 0, above
		if i >= stride {
			length = common(raw[i:i+most], raw[i-stride:])
		}
		if i > 0 && length < most && raw[i] == raw[i-1] {
			if n := common(raw[i:i+most], raw[i-1:]); n > length {
				length, from = n, before
			}
		}
		if length < minMatch {
			r.put(literals[raw[i]])
			i++
			continue
		}
		r.put(lengths[length])
		r.put(from)
		i += length
	}
	r.put(literals[endOfBlock])
	for r.n > 0 {
		r.out = append(r.out, byte(r.bits))
		r.bits >>= 8
		r.n -= min(r.n, 8)
	}
	return r.out
}

// put writes a code. Four bytes go out at a time.
func (r *runs) put(c code) {
	r.bits |= uint64(c.bits) << r.n
	r.n += uint(c.n)
	if r.n >= 32 {
		r.out = binary.LittleEndian.AppendUint32(r.out, uint32(r.bits))
		r.bits >>= 32
		r.n -= 32
	}
}

// common is how many bytes of a are the same at the beginning of b, which is at
// least as long and may overlap with a.
func common(a, b []byte) int {
	i := 0
	for ; i+8 <= len(a); i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i
}
