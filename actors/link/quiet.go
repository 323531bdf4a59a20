package link

import (
	"context"
	"log/slog"
)

// Quiet lets through what the actor library says from Warn on, except that a
// connection was lost: whoever lost it says so better.
func Quiet(h slog.Handler) slog.Handler { return quiet{h} }

type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	switch r.Message {
	case "EndpointWriter lost connection", "EndpointWriter failed to connect",
		"EndpointWriter failed to create receive stream", "EndpointWriter failed to send connect request",
		"EndpointWriter failed to receive connect response", "EndpointWatcher receive message for already terminated endpoint":
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
