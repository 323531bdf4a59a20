package bench

import (
	"io"
	"net"
	"testing"
	"time"
)

func TestAStalledRelayTakesNothingForTheNode(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := startRelay(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	node, err := net.Dial("tcp", r.address())
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	limit := time.Now().Add(10 * time.Second)
	_, _ = node.SetDeadline(limit), server.SetDeadline(limit)
	passes := func(from, to net.Conn) {
		t.Helper()
		if _, err := from.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(to, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
	}
	passes(node, server)
	passes(server, node)
	r.stall()
	passes(node, server) // the node lives
	for block := make([]byte, 1<<20); err == nil; {
		_ = server.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		_, err = server.Write(block)
	}
	if e, ok := err.(net.Error); !ok || !e.Timeout() {
		t.Errorf("writing to a stalled link ended with %v, want that it takes nothing more", err)
	}
	_ = node.Close()
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Error("the server's end of the link is open after the node has closed its own")
	}
}
