package http

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
)

// request is what the server knows about a request while it answers it.
type request struct {
	id     string
	client client
	begun  time.Time

	// The visitor is looked up once, when first asked for.
	visitor    *visitor
	visitorErr error
	looked     bool

	anonymous string // the visit cookie's token, made for this answer or sent along
	failure   error  // what the answer is about, for the log
}

const requestKey = "request"

// requestOf returns the request's notes; an empty one for what never reached the
// middleware, as a body over the server's limit.
func requestOf(c *fiber.Ctx) *request {
	if r, ok := c.Locals(requestKey).(*request); ok {
		return r
	}
	return &request{id: "none"}
}

// begin is the outermost middleware: it names the request, gives it a deadline,
// turns its error into an answer, survives panics, and writes one log line.
func (s *Server) begin(c *fiber.Ctx) error {
	r := &request{id: newToken()[:12], begun: s.cfg.Clock(), client: s.clientOf(c)}
	c.Locals(requestKey, r)
	c.Set(fiber.HeaderXRequestID, r.id)
	limit := s.cfg.Limits.Request
	if c.Path() == folderPath {
		limit = s.cfg.Limits.Import
	}
	ctx, cancel := context.WithTimeout(s.base, limit)
	defer cancel()
	c.SetUserContext(ctx)

	if err := s.guarded(c); err != nil {
		r.failure = err
		if err := s.fail(c, err); err != nil {
			return err // cannot even write the error page: Fiber's own handler
		}
	}
	took := s.cfg.Clock().Sub(r.begun)
	s.metrics.answered(routeOf(c), c.Method(), c.Response().StatusCode(), took)
	s.logRequest(c, r, took)
	return nil
}

// guarded calls the handlers and turns a panic into an error.
func (s *Server) guarded(c *fiber.Ctx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return c.Next()
}

func (s *Server) logRequest(c *fiber.Ctx, r *request, took time.Duration) {
	status := c.Response().StatusCode()
	level := slog.LevelDebug
	switch {
	case status >= 500:
		level = slog.LevelError
	case status == fiber.StatusForbidden, status == fiber.StatusTooManyRequests, status == fiber.StatusRequestEntityTooLarge:
		level = slog.LevelWarn
	case status >= 400:
		level = slog.LevelInfo
	}
	ctx := context.Background()
	if !s.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request", r.id), slog.String("method", c.Method()), slog.String("route", routeOf(c)),
		slog.Int("status", status), slog.Duration("took", took), slog.String("ip", r.client.ip.String()),
	}
	if r.visitor != nil {
		attrs = append(attrs, slog.String("user", r.visitor.user.Name))
	}
	if r.failure != nil {
		attrs = append(attrs, slog.String("error", r.failure.Error()))
	}
	s.log.LogAttrs(ctx, level, "request", attrs...)
}

// routeOf is the pattern that a request matched ("/x/:link"), never the path
// itself: paths hold tokens, and metrics need few labels.
func routeOf(c *fiber.Ctx) string {
	if p := c.Route().Path; p != "/" || c.Path() == "/" {
		return p
	}
	return "none"
}

// limitBody refuses bodies over the limit of their route.
func (s *Server) limitBody(c *fiber.Ctx) error {
	limit := s.cfg.Limits.Body
	switch c.Path() {
	case uploadPath:
		limit = s.cfg.Limits.Upload
	case folderPath: // the server let only administrators send so much
		limit = s.cfg.Limits.Folder + 64<<10
	}
	size := len(c.Request().Body())
	if n, err := strconv.Atoi(c.Get(fiber.HeaderContentLength)); err == nil {
		size = max(size, n)
	}
	if size > limit {
		return fmt.Errorf("%w: %d bytes, at most %d", errTooLarge, size, limit)
	}
	return c.Next()
}
