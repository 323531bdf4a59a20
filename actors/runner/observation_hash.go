package runner

import (
	"crypto/sha256"
	"encoding/binary"

	"sharpie/envs"
)

// ObservationHash is the fingerprint of what all live roles saw at one step: the
// first 8 bytes, little-endian, of the SHA-256 of the observations' canonical
// bytes. It is the same in every process and language that follows this text.
//
// The canonical bytes are, for each observation in the order of the environment's
// roles (those that were live before the step; at step 0 all that reset named):
//
//	u32 length of the role's name in the environment ‖ name (UTF-8) ‖ value
//
// and a value is, with all integers little-endian:
//
//	Int    'i' ‖ i64
//	Text   's' ‖ u32 length in bytes ‖ UTF-8
//	Array  'a' ‖ u8 length of the dtype's name ‖ name ‖ u8 dimensions ‖
//	       u64 per dimension ‖ elements, row-major, little-endian
//	Tuple  't' ‖ u32 members ‖ values
//	Dict   'd' ‖ u32 members ‖ (u32 length ‖ key ‖ value) in the space's order
//	none   'n'
//
// Masks, infos and rewards are not part of it.
func ObservationHash(observations envs.Observations) uint64 {
	var h hasher
	for i := range observations {
		h.role(observations[i].Role, observations[i].Observation)
	}
	return h.sum()
}

// hasher collects canonical bytes; its memory is reused from step to step.
type hasher struct{ buf []byte }

func (h *hasher) reset() { h.buf = h.buf[:0] }

func (h *hasher) role(r envs.Role, v envs.Value) {
	h.text(string(r))
	h.value(v)
}

func (h *hasher) text(s string) {
	h.buf = binary.LittleEndian.AppendUint32(h.buf, uint32(len(s)))
	h.buf = append(h.buf, s...)
}

func (h *hasher) value(v envs.Value) {
	switch v := v.(type) {
	case envs.Int:
		h.buf = append(h.buf, 'i')
		h.buf = binary.LittleEndian.AppendUint64(h.buf, uint64(v))
	case envs.Text:
		h.buf = append(h.buf, 's')
		h.text(string(v))
	case envs.Array:
		h.array(v)
	case envs.Tuple:
		h.buf = append(h.buf, 't')
		h.buf = binary.LittleEndian.AppendUint32(h.buf, uint32(len(v)))
		for _, m := range v {
			h.value(m)
		}
	case envs.Dict:
		h.buf = append(h.buf, 'd')
		h.buf = binary.LittleEndian.AppendUint32(h.buf, uint32(len(v)))
		for _, m := range v {
			h.text(m.Key)
			h.value(m.Value)
		}
	default:
		h.buf = append(h.buf, 'n')
	}
}

func (h *hasher) array(a envs.Array) {
	h.buf = append(h.buf, 'a', byte(len(a.DType)))
	h.buf = append(h.buf, a.DType...)
	h.buf = append(h.buf, byte(len(a.Shape)))
	for _, n := range a.Shape {
		h.buf = binary.LittleEndian.AppendUint64(h.buf, uint64(n))
	}
	h.buf = append(h.buf, a.Data...)
}

func (h *hasher) sum() uint64 {
	s := sha256.Sum256(h.buf)
	return binary.LittleEndian.Uint64(s[:8])
}
