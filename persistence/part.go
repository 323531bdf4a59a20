package persistence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Limits of data that is stored in parts.
const (
	// MaxBundle and MaxCheckpoint are the bytes of Data in a Bundle and a Checkpoint:
	// 256 MiB of files, and what tar and zstd add where nothing can be compressed.
	MaxBundle     = 260 << 20
	MaxCheckpoint = 64 << 20
	// PartSize is the bytes of each Part but the last. Data that is no larger stays
	// in its own document.
	PartSize = 8 << 20
)

// Part is a piece of data that is too large for one document. Parts are written
// before the document that names them, so that whoever sees the document can read
// all of it. They are addressed by what they hold: the same piece is stored once,
// and writing it again changes nothing. Collection parts.
type Part struct {
	Hash string `bson:"_id"` // sha256 of Data, hex
	Data []byte `bson:"data"`
}

// Validate returns ErrInvalid where the hash is not that of the data.
func (p *Part) Validate() error {
	if len(p.Data) == 0 || len(p.Data) > PartSize {
		return invalid("part", p.Hash, "data has %d bytes, want 1 to %d", len(p.Data), PartSize)
	}
	if sum := sha256.Sum256(p.Data); hex.EncodeToString(sum[:]) != p.Hash {
		return invalid("part", p.Hash, "_id is not the hash of data")
	}
	return nil
}

// Split cuts data that is larger than PartSize: it returns what stays in the
// document, the parts to be written before it, and their names for the document.
func Split(data []byte) (inline []byte, parts []*Part, names []string) {
	if len(data) <= PartSize {
		return data, nil, nil
	}
	for rest := data; len(rest) > 0; {
		n := min(len(rest), PartSize)
		sum := sha256.Sum256(rest[:n])
		p := &Part{Hash: hex.EncodeToString(sum[:]), Data: rest[:n:n]}
		parts, names = append(parts, p), append(names, p.Hash)
		rest = rest[n:]
	}
	return []byte{}, parts, names
}

// Join puts data together again: inline where no part is named. read gets a part by
// its name. limit bounds the bytes.
func Join(inline []byte, names []string, limit int, read func(name string) (*Part, error)) ([]byte, error) {
	if len(names) == 0 {
		return inline, nil
	}
	if len(names) > (limit+PartSize-1)/PartSize {
		return nil, fmt.Errorf("%d parts are more than %d bytes: %w", len(names), limit, ErrInvalid)
	}
	data := make([]byte, 0, min(limit, len(names)*PartSize))
	for i, name := range names {
		p, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("part %d of %d: %w", i+1, len(names), err)
		}
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("part %d of %d: %w", i+1, len(names), err)
		}
		data = append(data, p.Data...)
	}
	return data, nil
}
