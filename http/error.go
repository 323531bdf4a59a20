package http

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"sharpie/actors"
	"sharpie/persistence"
	"sharpie/web"
)

// What this package itself refuses.
var (
	errOrigin      = errors.New("http: foreign origin")
	errFormToken   = errors.New("http: no or wrong form token")
	errNotLoggedIn = errors.New("http: not logged in")
	errNotAdmin    = errors.New("http: not an administrator")
	errClosed      = errors.New("http: experiment not open")
	errTooLarge    = errors.New("http: too large")
	errTooMany     = errors.New("http: too many attempts")
	errNoPage      = errors.New("http: no such page")
	errUsedLink    = errors.New("http: one-time link unknown, used or expired")
	errNoUpgrade   = errors.New("http: not a WebSocket request")
	errFields      = errors.New("http: a form has errors")
	errLastAdmin   = errors.New("http: the last administrator")
	errPanic       = errors.New("http: panic")
)

// tooMany is errTooMany with the time to wait.
type tooMany struct{ wait time.Duration }

func (e *tooMany) Error() string {
	return fmt.Sprintf("%v: again in %s", errTooMany, e.wait.Round(time.Second))
}
func (e *tooMany) Unwrap() error { return errTooMany }

// answer is what an error looks like from outside.
type answer struct {
	status int
	text   string // one or two sentences; empty: the page's default for the status
	code   int    // of a WebSocket close
	next   string // where the error page leads, "" is home
	label  string
}

// answers turns sentinels into answers; the first that errors.Is finds counts.
var answers = []struct {
	is error
	answer
}{
	{errPanic, answer{status: 500, code: 1011}},
	{errOrigin, answer{status: 403, code: closeOrigin, text: "This came from another web site, so it was not done. Open the page on this site and try again."}},
	{errFormToken, answer{status: 403, text: "The page was open for too long, or you logged in or out in the meantime. Go back, reload the page, and try again."}},
	{errNotLoggedIn, answer{status: 401, code: closeNotLoggedIn, text: "Please log in first.", next: "/login", label: "Log in"}},
	{errNotAdmin, answer{status: 403, text: "This page is for administrators, and your account doesn't have their rights. Someone who is an administrator can give them to you."}},
	{errClosed, answer{status: 403, text: "This experiment is not open at the moment."}},
	{errTooLarge, answer{status: 413, code: closeTooLarge}},
	{errTooMany, answer{status: 429}},
	{errNoPage, answer{status: 404}},
	{errUsedLink, answer{status: 410, text: "This link was used already, or it is too old. Ask for a new one, or log in with your name and password.", next: "/login", label: "Log in"}},
	{errNoUpgrade, answer{status: 426, text: "This address is for the play page's own connection."}},
	{errFields, answer{status: 422}},
	{errLastAdmin, answer{status: 409, text: "This is the last administrator. Make someone else an administrator first.", next: "/admin/users", label: "Back to the users"}},
	{actors.ErrNoSeat, answer{status: 422, code: closeNotYours, text: "That role is not offered in this experiment."}},
	{actors.ErrNotYours, answer{status: 403, code: closeNotYours, text: "You have no seat in this session."}},
	{actors.ErrGone, answer{status: 410, code: closeGone, text: "This session is over."}},
	{actors.ErrDraining, answer{status: 503, code: closeStopping, text: "The server is about to restart. Try again in a minute."}},
	{actors.ErrFull, answer{status: 503, code: 1013, text: "Very many people are playing right now. Try again in a few minutes."}},
	{actors.ErrTimeout, answer{status: 503, code: 1011}},
	{persistence.ErrNotFound, answer{status: 404, code: closeGone}},
	{persistence.ErrConflict, answer{status: 409, code: 1011}},
	{persistence.ErrUnavailable, answer{status: 503, code: 1011, text: "The data store does not answer at the moment. Sessions that are running go on. Try again in a minute."}},
	{context.DeadlineExceeded, answer{status: 503, code: 1011}},
	{context.Canceled, answer{status: 503, code: closeStopping}},
}

// answerTo finds the public side of an error.
func answerTo(err error) answer {
	for _, a := range answers {
		if errors.Is(err, a.is) {
			return a.answer
		}
	}
	var f *fiber.Error
	if errors.As(err, &f) && f.Code >= 400 && f.Code < 600 {
		return answer{status: f.Code, code: 1011}
	}
	return answer{status: 500, code: 1011}
}

// fail answers with an error: a page, or JSON where the client prefers it.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	a := answerTo(err)
	r := requestOf(c)
	var wait *tooMany
	if errors.As(err, &wait) {
		seconds := int(math.Ceil(wait.wait.Seconds()))
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(1, seconds)))
		a.text = fmt.Sprintf("There were too many attempts in a short time. Try again in %d seconds.", max(1, seconds))
	}
	if a.status == fiber.StatusServiceUnavailable {
		c.Set(fiber.HeaderRetryAfter, "10")
	}
	c.Status(a.status)
	if c.Accepts(fiber.MIMETextHTML, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON {
		return c.JSON(fiber.Map{"status": a.status, "error": a.text, "request": r.id})
	}
	v := web.ErrorPage{Layout: s.layout(c), Status: a.status, Text: a.text, NextURL: a.next, NextLabel: a.label}
	if a.status >= 500 || a.status == fiber.StatusForbidden {
		v.Reference = r.id
	}
	return s.show(c, func() error { return s.cfg.Pages.Error(c, v) })
}

// lastResort answers where no page can be made: a request that Fiber refused
// before any handler, or an error page that failed.
func (s *Server) lastResort(c *fiber.Ctx, err error) error {
	a := answerTo(err)
	if conn, ok := c.Context().Conn().(*silentConn); ok && a.status == fiber.StatusRequestEntityTooLarge {
		conn.unread.Store(true)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	return c.Status(a.status).SendString(fmt.Sprintf("%d: this did not work (reference %s).\n", a.status, requestOf(c).id))
}

// refused is the status of a page that shows its form again with what is wrong.
func refused(c *fiber.Ctx, errs web.FieldErrors) {
	if len(errs) > 0 {
		c.Status(answerTo(errFields).status)
	}
}
