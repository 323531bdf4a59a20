package http_test

import (
	"strings"
	"testing"

	"sharpie/actors"
)

// A node tells these two apart: for one its operator looks at the proxy in front of the
// server, for the other at the version of the program.
func TestWhoIsNoNodeOfThisVersionIsTold(t *testing.T) {
	d := newDepot(t)
	plain := d.ask(actors.NodePath, good)
	if plain.status != 426 || plain.header.Get(actors.NodeRefusedHeader) != actors.NodeNoUpgrade || !strings.Contains(plain.body, "sharpie runner --join URL") {
		t.Errorf("a request without Upgrade is answered %d, %q: %s", plain.status, plain.header.Get(actors.NodeRefusedHeader), plain.body)
	}
	for _, subprotocol := range []string{"", "chat.v1", "sharpie.link.v9"} {
		p := d.ask(actors.NodePath, good, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
			"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol", subprotocol)
		if why := p.header.Get(actors.NodeRefusedHeader); p.status != 426 || why == "" || why == actors.NodeNoUpgrade || !strings.Contains(p.body, "another version than this server") {
			t.Errorf("the subprotocol %q is answered %d, %q: %s", subprotocol, p.status, why, p.body)
		}
	}
}
