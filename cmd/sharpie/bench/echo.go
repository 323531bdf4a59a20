package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

// serveEcho is the baseline: a bare Fiber WebSocket that answers every message
// with as many bytes as asked for in ?size=, and does nothing else. It prints
// its address and ends when its standard input closes.
func serveEcho(out io.Writer) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/echo", func(c *fiber.Ctx) error {
		n, err := strconv.Atoi(c.Query("size"))
		if err != nil || n < 1 || n > 16<<20 {
			return fiber.NewError(fiber.StatusBadRequest, "size: allowed is 1 to 16777216 bytes")
		}
		return websocket.New(func(ws *websocket.Conn) {
			reply := make([]byte, n)
			for {
				_, m, err := ws.ReadMessage()
				if err != nil {
					return
				}
				copy(reply, m)
				if ws.WriteMessage(websocket.BinaryMessage, reply) != nil {
					return
				}
			}
		}, websocket.Config{ReadBufferSize: 1024, WriteBufferSize: 4096})(c)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("bench: echo: %w", err)
	}
	fmt.Fprintf(out, "echo on http://%s\n", l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = app.Shutdown()
	}()
	return app.Listener(l)
}

// Echo is what the baseline reached in the same run.
type Echo struct {
	MessagesPerSecond float64   `json:"messages_per_second"`
	BytesPerMessage   int       `json:"bytes_per_message"`
	RoundTrip         Quantiles `json:"round_trip"`
	CPUSeconds        float64   `json:"cpu_seconds"`
}

// measureEcho lets as many sockets as the run has players do what the players
// do, against the bare echo, with replies of size bytes.
func measureEcho(ctx context.Context, r Run, size int, length time.Duration) (Echo, error) {
	ctx, cancel := context.WithTimeout(ctx, length+60*time.Second)
	defer cancel()
	addr := make(chan string, 1)
	c, err := startChild(ctx, func(line string) {
		if _, a, ok := strings.Cut(line, "echo on "); ok {
			select {
			case addr <- a:
			default:
			}
		}
	}, nil, "bench", "--serve-echo")
	if err != nil {
		return Echo{}, err
	}
	defer func() { _ = c.cmd.Process.Kill(); <-c.done }()
	var base string
	select {
	case base = <-addr:
	case <-c.done:
		return Echo{}, fmt.Errorf("bench: the echo ended: %s", c.lastLines())
	case <-time.After(10 * time.Second):
		return Echo{}, fmt.Errorf("bench: the echo did not start: %s", c.lastLines())
	}
	win := &window{}
	players := make([]*echoPlayer, r.Players())
	var phase time.Duration
	for i := range players {
		if i%r.Participants == 0 {
			phase = rand.N(time.Second)
		}
		s, err := dialSocket(ctx, base, "/echo?size="+strconv.Itoa(size), "", r.Latency)
		if err != nil {
			return Echo{}, err
		}
		players[i] = &echoPlayer{sock: s, win: win, mode: r.Mode, fps: r.FPS, phase: phase, sent: make(chan time.Time, 4096)}
	}
	return runEcho(ctx, c, players, win, length)
}

func runEcho(ctx context.Context, c *child, players []*echoPlayer, win *window, length time.Duration) (Echo, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for _, p := range players {
		wg.Go(func() { p.play(ctx) })
	}
	warm := time.Second
	from := time.Now().Add(warm)
	win.to.Store(from.Add(length).UnixNano())
	win.from.Store(from.UnixNano())
	before, err := c.usage()
	if err != nil {
		return Echo{}, err
	}
	select {
	case <-time.After(warm + length):
	case <-c.done:
		return Echo{}, fmt.Errorf("bench: the echo ended: %s", c.lastLines())
	}
	after, err := c.usage()
	if err != nil {
		return Echo{}, err
	}
	cancel()
	wg.Wait()
	all := make([]*samples, len(players))
	n, size := 0, 0
	for i, p := range players {
		all[i], n, size = &p.rtt, n+p.n, p.size
	}
	return Echo{
		MessagesPerSecond: float64(n) / length.Seconds(),
		BytesPerMessage:   size,
		RoundTrip:         merge(all...).quantiles(),
		CPUSeconds:        (after.CPU - before.CPU).Seconds(),
	}, nil
}

// echoPlayer does with the echo what player does with a session. Replies come in
// the order of the messages.
type echoPlayer struct {
	sock  *socket
	win   *window
	mode  Mode
	fps   float64
	phase time.Duration
	sent  chan time.Time
	rtt   samples
	n     int
	size  int
	seq   uint64
}

func (e *echoPlayer) play(ctx context.Context) {
	context.AfterFunc(ctx, e.sock.close)
	if e.mode == Saturation {
		if e.input() != nil {
			return
		}
	} else {
		go paced(ctx, e.fps, e.phase, e.input)
	}
	for {
		b, err := e.sock.read()
		if err != nil {
			return
		}
		now := time.Now()
		t := <-e.sent
		e.size = len(b)
		if e.win.holds(now) {
			e.n++
			e.rtt.add(now.Sub(t))
		}
		if e.mode == Saturation && e.input() != nil {
			return
		}
	}
}

func (e *echoPlayer) input() error {
	now := time.Now()
	select {
	case e.sent <- now:
	default:
		return fmt.Errorf("bench: more than %d messages without an answer", cap(e.sent))
	}
	e.seq++
	var buf [128]byte
	return e.sock.send(appendInput(buf[:0], e.seq, e.seq, now))
}

// paced calls f at absolute deadlines, fps times a second, until it fails or the
// context ends. Those with the same phase, as a share of all time, call it together.
func paced(ctx context.Context, fps float64, phase time.Duration, f func() error) {
	every := time.Duration(float64(time.Second) / fps)
	next := time.Now().Truncate(every).Add(every + phase%every)
	t := time.NewTimer(time.Until(next))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if f() != nil {
				return
			}
			next = next.Add(every)
			t.Reset(time.Until(next))
		}
	}
}
