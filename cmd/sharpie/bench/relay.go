package bench

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// relay is the link between a runner node and the server. Once it is stalled it takes
// nothing more for the node, which lives on and is heard by the server.
type relay struct {
	listener net.Listener
	server   string // address
	stalled  chan struct{}
	once     sync.Once
}

func startRelay(server string) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("bench: relay: %w", err)
	}
	r := &relay{listener: l, server: server, stalled: make(chan struct{})}
	go r.serve()
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

// stall lets nothing more through to the node, on any connection.
func (r *relay) stall() { r.once.Do(func() { close(r.stalled) }) }

func (r *relay) close() { _ = r.listener.Close() }

func (r *relay) serve() {
	for {
		node, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.carry(node)
	}
}

// carry passes bytes on until either side ends.
func (r *relay) carry(node net.Conn) {
	server, err := net.Dial("tcp", r.server)
	if err != nil {
		_ = node.Close()
		return
	}
	if tcp, ok := server.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(16 << 10) // so that the server feels a stall soon
	}
	done := make(chan struct{})
	end := sync.OnceFunc(func() {
		close(done)
		_, _ = node.Close(), server.Close()
	})
	go func() {
		defer end()
		_, _ = io.Copy(server, node)
	}()
	defer end()
	_, _ = io.Copy(&gate{Writer: node, shut: r.stalled, done: done}, server)
}

// gate is a writer that waits for its end once it is shut.
type gate struct {
	io.Writer
	shut, done <-chan struct{}
}

var errShut = errors.New("bench: the relay is stalled")

// Write implements io.Writer.
func (g *gate) Write(b []byte) (int, error) {
	select {
	case <-g.shut:
		<-g.done
		return 0, errShut
	default:
		return g.Writer.Write(b)
	}
}
