package persistence

import (
	"context"
	"time"
)

// MaxWait bounds every call of a Store whose context has no deadline, and every
// page of a stream.
const MaxWait = 10 * time.Second

// Limits that every Store keeps.
const (
	// MaxDocument is the size of a stored document, bytes of BSON.
	MaxDocument = 16 << 20
	// MaxDepth is how deep documents and lists nest.
	MaxDepth = 100
	// MaxChunkSteps is the number of steps in a StepChunk.
	MaxChunkSteps = 256
	// DefaultPage and MaxPage are limits of a Page.
	DefaultPage = 100
	MaxPage     = 1000
)

// Bounded returns ctx with a deadline: its own, else MaxWait from now.
func Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, MaxWait)
}

// Bounds returns the page's offset, at least 0, and limit, 1 to MaxPage.
func (p Page) Bounds() (offset, limit int) {
	offset, limit = max(p.Offset, 0), p.Limit
	if limit <= 0 {
		limit = DefaultPage
	}
	return offset, min(limit, MaxPage)
}
