package system

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"sharpie/actors/play"
	"sharpie/cmd/sharpie/internal/client"
)

// slowMemory is what a server may take for someone who reads nothing, in bytes. The
// pictures that are sent meanwhile are more than that.
const slowMemory = 24 << 20

func TestSomeoneWhoStopsReadingHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{{link: "noise", seats: 2, fps: 20, kwargs: "size: 512, frames: noise", lines: []string{"on_drop_out: continue"}}})
	people := s.registerAll("Ada", "Sam")
	ada := people[0].play(people[0].join("noise"))
	stuck := stopsReading(t, people[1], people[1].join("noise"))
	ada.pressOn(t.Context())
	v := ada.frames(20)
	size := len(v.frame.GetData())
	before, began := s.memory(), time.Now()
	ada.forget()
	ada.until("that the one who reads nothing is taken for away", func(v view) bool {
		for _, seat := range v.phase.GetSeats() {
			if !seat.GetYours() && seat.GetState() == play.Seat_AWAY {
				return true
			}
		}
		return false
	})
	took := time.Since(began)
	after := ada.now()
	if frames := after.frames - v.frames; float64(frames) < 0.8*20*took.Seconds() {
		t.Errorf("the partner of someone who reads nothing saw %d frames in %s, want 20 a second", frames, took.Round(time.Millisecond))
	}
	if after.longest > stutter {
		t.Errorf("the partner of someone who reads nothing saw no picture for %s", after.longest)
	}
	if made := int64(size * (after.frames - v.frames)); made < slowMemory {
		t.Fatalf("pictures of %d MB only were made meanwhile: too few to tell", made>>20)
	}
	if grown := s.memory() - before; grown > slowMemory {
		t.Errorf("the server grew by %d MB within %s for someone who reads nothing", grown>>20, took.Round(time.Millisecond))
	}
	s.loggedSince(0, "socket closed", "it takes nothing", "user=Sam")
	_ = stuck.Close()
}

// stopsReading opens a play socket with small buffers and reads nothing of it.
func stopsReading(t *testing.T, p *person, at string) *websocket.Conn {
	t.Helper()
	dialer := &websocket.Dialer{HandshakeTimeout: patience, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4096)
		}
		return conn, err
	}}
	conn, _, err := client.DialFrom(t.Context(), p.server.base, at+"/socket", p.browser.Cookies(), p.server.base, dialer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// memory is what the server holds of the machine's, in bytes.
func (s *server) memory() int64 {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Skipf("the server's memory is not known here: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	s.t.Fatal("/proc/PID/status has no VmRSS")
	return 0
}
