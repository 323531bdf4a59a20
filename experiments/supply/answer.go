package supply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxSaid bounds a refusal's sentence, in bytes.
const maxSaid = 512

var errTooLarge = errors.New("the answer is too large")

// Refusal is an answer that is no success.
type Refusal struct {
	// Status is the answer's: 403.
	Status int
	// Own says that it is the server's own, and not a proxy's.
	Own bool
	// Text is a sentence for people.
	Text string
	// after is how long the server asks to wait.
	after time.Duration
}

// Error is the sentence.
func (r *Refusal) Error() string { return r.Text }

// passing says whether asking again may help.
func (r *Refusal) passing() bool {
	return r.Status >= 500 || r.Status == http.StatusTooManyRequests || r.Status == http.StatusRequestTimeout
}

// answer is a body whose reading ends where nothing comes for a while.
type answer struct {
	*http.Response
	idle    time.Duration
	timer   *time.Timer
	cancel  context.CancelCauseFunc
	context context.Context
}

// get asks, and turns what is no success into a *Refusal.
func (c *Client) get(ctx context.Context, path string, header http.Header) (*answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		cancel(err)
		return nil, err
	}
	for k, v := range header {
		r.Header[k] = v
	}
	r.Header.Set("Authorization", "Bearer "+c.cfg.Key)
	r.Header.Set("User-Agent", "sharpie/"+c.cfg.Version)
	r.Header.Set("Accept", "application/json, application/octet-stream;q=0.9")
	res, err := c.http.Do(r)
	if err != nil {
		cancel(err)
		return nil, err
	}
	a := &answer{Response: res, idle: c.idle, cancel: cancel, context: ctx}
	a.timer = time.AfterFunc(c.idle, func() { cancel(fmt.Errorf("nothing came for %s", c.idle)) })
	if res.StatusCode == http.StatusOK || res.StatusCode == http.StatusNotModified {
		return a, nil
	}
	defer a.close()
	return nil, a.refusal()
}

func (a *answer) refusal() *Refusal {
	r := &Refusal{Status: a.StatusCode, Own: a.Header.Get(RefusedHeader) != "", Text: "it answered with " + a.Status}
	if r.Own {
		b, _ := io.ReadAll(io.LimitReader(a, maxSaid)) // a part of a sentence is better than none
		if said := strings.TrimSpace(strings.ToValidUTF8(string(b), "")); said != "" {
			r.Text = said
		}
	}
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && n > 0 {
		r.after = time.Duration(min(n, 3600)) * time.Second
	}
	return r
}

// Read implements io.Reader.
func (a *answer) Read(p []byte) (int, error) {
	n, err := a.Body.Read(p)
	if n > 0 {
		a.timer.Reset(a.idle)
	}
	if err != nil && err != io.EOF && a.context.Err() != nil {
		err = context.Cause(a.context)
	}
	return n, err
}

// read returns the whole body, of at most so many bytes.
func (a *answer) read(most int64) ([]byte, error) {
	if a.ContentLength > most {
		return nil, fmt.Errorf("%w: %d bytes, allowed are %d", errTooLarge, a.ContentLength, most)
	}
	var data bytes.Buffer
	if a.ContentLength > 0 {
		data.Grow(int(min(a.ContentLength, 16<<20)) + bytes.MinRead) // more once it comes
	}
	n, err := data.ReadFrom(io.LimitReader(a, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("after %d bytes: %w", n, err)
	case n > most:
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, most)
	}
	return data.Bytes(), nil
}

func (a *answer) close() {
	a.timer.Stop()
	_ = a.Body.Close() // it was read, or nobody wants it
	a.cancel(nil)
}
