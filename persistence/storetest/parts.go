package storetest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"sharpie/persistence"
)

// noise is data that looks like nothing else.
func noise(seed uint64, n int) []byte {
	data := make([]byte, n)
	c := rand.NewChaCha8([32]byte{byte(seed)})
	_, _ = c.Read(data)
	return data
}

// testParts: what is larger than a document.
func testParts(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	t.Run("bundles of every size around the parts'", func(t *testing.T) {
		for i, n := range []int{0, persistence.PartSize, persistence.PartSize + 1, 2 * persistence.PartSize, 3*persistence.PartSize - 1} {
			b := &persistence.Bundle{Hash: id("size-%d", n), Size: int64(n), Data: noise(uint64(i), n), CreatedAt: kept(now)}
			given := b.Data
			must(t, s.InsertBundle(ctx, b))
			if !bytes.Equal(b.Data, given) || b.Parts != nil {
				t.Errorf("the caller's bundle of %d bytes was changed", n)
			}
			must(t, s.InsertBundle(ctx, b))
			got := get[*persistence.Bundle](t)(s.Bundle(ctx, b.Hash))
			if !bytes.Equal(got.Data, b.Data) || got.Size != b.Size || got.Parts != nil {
				t.Errorf("of %d bytes %d came back, with parts %v", n, len(got.Data), got.Parts)
			}
		}
	})
	t.Run("other data under a large bundle's hash is ErrConflict, and changes nothing", func(t *testing.T) {
		n := persistence.PartSize + 1
		wantErr(t, s.InsertBundle(ctx, &persistence.Bundle{Hash: id("size-%d", n), Size: int64(n), Data: noise(77, n), CreatedAt: kept(now)}), persistence.ErrConflict)
		if got := get[*persistence.Bundle](t)(s.Bundle(ctx, id("size-%d", n))); !bytes.Equal(got.Data, noise(2, n)) {
			t.Error("the bundle became another one")
		}
	})
	t.Run("two bundles may share what they have in common", func(t *testing.T) {
		base := noise(9, 2*persistence.PartSize)
		for _, name := range []string{"a", "b"} {
			must(t, s.InsertBundle(ctx, &persistence.Bundle{Hash: name, Data: append(bytes.Clone(base), name...)}))
		}
		for _, name := range []string{"a", "b"} {
			if got := get[*persistence.Bundle](t)(s.Bundle(ctx, name)); string(got.Data[len(base):]) != name {
				t.Errorf("bundle %s ends in %q", name, got.Data[len(base):])
			}
		}
	})
	t.Run("a large checkpoint", func(t *testing.T) {
		c := &persistence.Checkpoint{ID: "large", Scope: "session:l", Role: "r", Policy: "p", Version: "1", EpisodeID: "e",
			Hash: "h", Data: noise(3, 2*persistence.PartSize+5), ReceivedAt: kept(now)}
		must(t, s.InsertCheckpoint(ctx, c))
		must(t, s.InsertCheckpoint(ctx, c))
		got := get[*persistence.Checkpoint](t)(s.LatestCheckpoint(ctx, "session:l", "r", "p"))
		if !bytes.Equal(got.Data, c.Data) || got.ID != "large" || got.Parts != nil || c.Parts != nil {
			t.Errorf("%d bytes came back, want %d", len(got.Data), len(c.Data))
		}
	})
	t.Run("more than the bounds is ErrInvalid, and nothing is stored", func(t *testing.T) {
		wantErr(t, s.InsertBundle(ctx, &persistence.Bundle{Hash: "huge", Data: make([]byte, persistence.MaxBundle+1)}), persistence.ErrInvalid)
		_, err := s.Bundle(ctx, "huge")
		wantErr(t, err, persistence.ErrNotFound)
		c := &persistence.Checkpoint{ID: "huge", Scope: "session:h", Role: "r", Policy: "p", Data: make([]byte, persistence.MaxCheckpoint+1)}
		wantErr(t, s.InsertCheckpoint(ctx, c), persistence.ErrInvalid)
		_, err = s.LatestCheckpoint(ctx, "session:h", "r", "p")
		wantErr(t, err, persistence.ErrNotFound)
	})
}
