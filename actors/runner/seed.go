package runner

import (
	"crypto/sha256"
	"encoding/binary"
)

// AgentSeed is the seed of the agent in a role of an episode: the first 8 bytes,
// little-endian, of SHA-256("sharpie agent seed" ‖ 0x00 ‖ the episode's seed as
// uint64, little-endian ‖ the role as the experiment names it, in UTF-8). The environment gets the episode's seed
// itself. A policy that takes a seat over gets the same seed as its role.
func AgentSeed(episode uint64, role string) uint64 {
	b := make([]byte, 0, 64)
	b = append(b, "sharpie agent seed\x00"...)
	b = binary.LittleEndian.AppendUint64(b, episode)
	b = append(b, role...)
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:8])
}
