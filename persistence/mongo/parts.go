package mongo

import (
	"context"

	"sharpie/persistence"
)

// insertParts writes what does not stay in the document.
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
		return one[persistence.Part](ctx, s, "part "+name, parts, byID(name))
	})
}
