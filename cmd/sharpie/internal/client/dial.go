package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fasthttp/websocket"
)

// Dial opens a WebSocket as a page of the server does. cookies is the Cookie header,
// empty for none. Where the upgrade was refused the error says so, and the answer is
// returned with it.
func Dial(ctx context.Context, base, path, cookies string) (*websocket.Conn, *http.Response, error) {
	return DialFrom(ctx, base, path, cookies, base, nil)
}

// DialFrom opens a WebSocket from a page of origin, "" for a program that names
// none; dialer nil is the usual one.
func DialFrom(ctx context.Context, base, path, cookies, origin string, dialer *websocket.Dialer) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	if origin != "" {
		h.Set("Origin", origin)
	}
	if cookies != "" {
		h.Set("Cookie", cookies)
	}
	if dialer == nil {
		dialer = &websocket.Dialer{HandshakeTimeout: 30 * time.Second, ReadBufferSize: 4096, WriteBufferSize: 1024}
	}
	conn, res, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(base, "http")+path, h)
	if err != nil {
		if res != nil {
			err = fmt.Errorf("%w (%s)", err, res.Status)
		}
		return nil, res, fmt.Errorf("client: connect to %s: %w", path, err)
	}
	return conn, res, nil
}
