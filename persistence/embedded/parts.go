package embedded

import (
	"context"

	"sharpie/persistence"
)

var parts = newCollection("parts", nil, func(p *persistence.Part) []any { return []any{p.Hash} }, nil)

// insertParts writes what does not stay in the document, each part in a write of
// its own, so that steps get in between.
func (s *Store) insertParts(ctx context.Context, data []byte) (inline []byte, names []string, err error) {
	inline, list, names := persistence.Split(data)
	for _, p := range list {
		if err := insert(ctx, s, parts, p); err != nil {
			return nil, nil, err
		}
	}
	return inline, names, nil
}

func (s *Store) joinParts(ctx context.Context, inline []byte, names []string, limit int) ([]byte, error) {
	return persistence.Join(inline, names, limit, func(name string) (*persistence.Part, error) {
		return one[persistence.Part](ctx, s, "part "+name, `SELECT doc FROM parts WHERE id = ?`, name)
	})
}
