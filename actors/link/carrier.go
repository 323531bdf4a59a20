package link

import (
	"context"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"
)

// carried is a gRPC connection that came through a tunnel.
type carried struct {
	net.Conn
	guard *guard
}

// carriedBy is what a gRPC stream's peer is known by: the tunnel's guard.
type carriedBy struct {
	credentials.CommonAuthInfo
	guard *guard
}

// AuthType implements credentials.AuthInfo.
func (carriedBy) AuthType() string { return "sharpie-tunnel" }

// tunnelCredentials let nothing in that did not come through a tunnel. Who is at the
// other end was found out before the tunnel began, and the tunnel is as secret as
// the WebSocket below it.
type tunnelCredentials struct{}

var errNoTunnel = errors.New("link: the connection did not come through a tunnel")

// ServerHandshake implements credentials.TransportCredentials.
func (tunnelCredentials) ServerHandshake(c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	in, ok := c.(*carried)
	if !ok {
		return nil, nil, errNoTunnel
	}
	return c, carriedBy{credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}, in.guard}, nil
}

// ClientHandshake implements credentials.TransportCredentials.
func (tunnelCredentials) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("link: for servers only")
}

// Info implements credentials.TransportCredentials.
func (tunnelCredentials) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "sharpie-tunnel"}
}

// Clone implements credentials.TransportCredentials.
func (c tunnelCredentials) Clone() credentials.TransportCredentials { return c }

// OverrideServerName implements credentials.TransportCredentials.
func (tunnelCredentials) OverrideServerName(string) error { return nil }

// listener hands connections of tunnels to a gRPC server; no port is behind it.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

var _ net.Listener = (*listener)(nil)

func newListener() *listener {
	return &listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// put hands a connection over, or closes it where nobody listens any more.
func (l *listener) put(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.done:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return tunnelAddr{} }

type tunnelAddr struct{}

func (tunnelAddr) Network() string { return "tunnel" }
func (tunnelAddr) String() string  { return "tunnel" }
