package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"strings"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// guardIncoming puts the guard of the tunnel before remote's service, and turns a
// panic in there into the end of that tunnel.
func guardIncoming(service any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	g, err := guardOf(s.Context())
	if err != nil {
		return status.Error(codes.Unauthenticated, err.Error())
	}
	in := &incoming{ServerStream: s, guard: g}
	defer func() {
		if p := recover(); p != nil {
			err = g.broken(fmt.Sprintf("what it sent made remote panic: %v\n%s", p, debug.Stack()))
		}
	}()
	err = handle(service, in)
	if err != nil && in.err == nil { // not the stream's end: remote could not read it
		return g.broken("a message that cannot be read: " + err.Error())
	}
	return err
}

// broken ends the tunnel, and is what the stream ends with.
func (g *guard) broken(reason string) error {
	g.breach(reason)
	return status.Error(codes.PermissionDenied, reason)
}

// incoming is a stream of packets from the peer.
type incoming struct {
	grpc.ServerStream
	guard *guard
	err   error // that ended it
}

// RecvMsg implements grpc.ServerStream.
func (s *incoming) RecvMsg(m any) error {
	s.err = s.ServerStream.RecvMsg(m)
	if status.Code(s.err) == codes.ResourceExhausted {
		s.err = s.guard.broken(fmt.Sprintf("a packet of more than %d bytes", maxMessage))
	}
	if s.err != nil {
		return s.err
	}
	packet, ok := m.(*remote.RemoteMessage)
	if !ok {
		s.err = s.guard.broken(fmt.Sprintf("a message of type %T", m))
		return s.err
	}
	if reason := s.guard.check(packet); reason != "" {
		s.err = s.guard.broken(reason)
	}
	return s.err
}

// peers leads to the other processes.
type peers interface {
	// dial opens a connection to the remoting at an address; it waits while there is hope.
	dial(ctx context.Context, address string) (net.Conn, error)
	// guardOf is the guard of the tunnel to an address; nil while there is none.
	guardOf(address string) *guard
	// hopeless is closed once an address cannot come back.
	hopeless(address string) <-chan struct{}
}

// guardOutgoing sees what is sent to a peer, and how it answers. Remote itself gives
// up at once, then sleeps for seconds and forgets what it was to send; so here is
// waited until the peer is there, or will never be.
func guardOutgoing(p peers) grpc.StreamClientInterceptor {
	return func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		address := addressOf(conn.Target())
		ctx, cancel := context.WithCancel(ctx) // ends with the connection
		gone := p.hopeless(address)
		go func() {
			select {
			case <-gone:
			case <-ctx.Done():
			}
			cancel()
		}()
		s := &outgoing{peers: p, address: address, open: func() (grpc.ClientStream, error) {
			return open(ctx, desc, conn, method, append(opts, grpc.WaitForReady(true))...)
		}, hope: ctx}
		var err error
		if s.ClientStream, err = s.open(); err != nil {
			cancel()
			return nil, err
		}
		s.cancel = cancel
		return s, nil
	}
}

// addressOf is the logical address that remote dialled.
func addressOf(target string) string { return strings.TrimPrefix(target, "passthrough:///") }

// outgoing is a stream of packets to the peer.
type outgoing struct {
	grpc.ClientStream
	peers     peers
	address   string
	open      func() (grpc.ClientStream, error)
	hope      context.Context // until the peer is hopeless
	cancel    context.CancelFunc
	connected bool
	first     any // the packet that says who this is
}

// RecvMsg implements grpc.ClientStream. A peer says once that it is there, and then
// nothing more on this stream. The stream's end is the tunnel's; remote hears of that
// one, in order, and not of this.
func (s *outgoing) RecvMsg(m any) error {
	if !s.connected {
		return s.connect(m)
	}
	reason := "it answers what nobody asked"
	err := s.ClientStream.RecvMsg(m)
	if err != nil {
		reason = ""
	}
	s.cancel()
	if g := s.peers.guardOf(s.address); g != nil {
		g.streamEnded(reason, err)
	}
	return io.EOF
}

// connect waits for the peer's answer to the first packet, over as many tunnels as
// that takes.
func (s *outgoing) connect(m any) error {
	for {
		err := s.ClientStream.RecvMsg(m)
		if err == nil {
			packet, _ := m.(*remote.RemoteMessage)
			if _, ok := packet.GetMessageType().(*remote.RemoteMessage_ConnectResponse); !ok {
				err = errAnswer
				s.cancel()
			}
			s.connected = err == nil
			return err
		}
		if s.hope.Err() != nil {
			return err
		}
		if s.ClientStream, err = s.open(); err != nil {
			s.cancel()
			return err
		}
		_ = s.ClientStream.SendMsg(s.first) // RecvMsg says whether it went well
	}
}

var errAnswer = errors.New("link: the peer answered what remote does not expect")

// SendMsg implements grpc.ClientStream. A packet that would be too large for the
// peer is sent in several.
func (s *outgoing) SendMsg(m any) error {
	packet, ok := m.(*remote.RemoteMessage)
	batch := packet.GetMessageBatch()
	if !ok || batch == nil {
		s.first = m
		if err := s.ClientStream.SendMsg(m); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return nil // where the stream has ended, RecvMsg begins another
	}
	g := s.peers.guardOf(s.address)
	if g == nil {
		return io.EOF
	}
	parts, large := split(batch)
	for _, kind := range large {
		g.oversized(kind)
	}
	g.sent(batch)
	for _, part := range parts {
		if err := s.ClientStream.SendMsg(part); err != nil {
			return err
		}
	}
	return nil
}

// packetBytes is how large a packet of several messages may be: half of what is
// taken, which leaves room for names.
const packetBytes = maxMessage / 2

// split makes packets that are small enough, and names the kinds of messages that
// are too large on their own. They are left out: an error would stop remote from
// ever sending to that peer again.
func split(b *remote.MessageBatch) (packets []*remote.RemoteMessage, large []string) {
	var part []*remote.MessageEnvelope
	size := 0
	flush := func() {
		if len(part) > 0 {
			packets = append(packets, &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
				TypeNames: b.TypeNames, Targets: b.Targets, Senders: b.Senders, Envelopes: part}}})
			part, size = nil, 0
		}
	}
	for _, e := range b.Envelopes {
		n := proto.Size(e)
		if n > maxMessage-headroom {
			large = append(large, b.TypeNames[e.TypeId])
			continue
		}
		if size+n > packetBytes {
			flush()
		}
		size += n
		part = append(part, e)
	}
	flush()
	return packets, large
}

// headroom is what names take beside the messages of a packet, bytes.
const headroom = 64 << 10
