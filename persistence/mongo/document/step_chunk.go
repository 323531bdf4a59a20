package document

import (
	"fmt"

	"sharpie/persistence"
)

// marshalChunk writes a chunk.
func (c *Codec) marshalChunk(chunk *persistence.StepChunk) ([]byte, error) {
	if err := chunk.Validate(); err != nil {
		return nil, err
	}
	raw, err := c.encode(chunk)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w: %w", chunk, persistence.ErrInvalid, err)
	}
	doc, err := splitTimes(make([]byte, 0, len(raw)+256), raw, 0)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", chunk, err)
	}
	return doc, checkSize(chunk, doc)
}
