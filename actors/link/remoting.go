package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Sizes of what remote sends and takes.
const (
	// batchMessages is how many messages remote packs into one.
	batchMessages = 16
	// maxMessage bounds a packet of messages, and so each of them, bytes.
	maxMessage = 16 << 20
	// writerQueue is the first size of the queue to one address; it grows. The
	// library's own default takes 16 MB for each node, before the first message.
	writerQueue = 64
)

// retry is how gRPC tries anew; dialling waits by itself.
var retry = backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 2, Jitter: 0.2, MaxDelay: 500 * time.Millisecond}

// remoting is the actor library's remote of one process, with no port of its own: it
// sends and receives through tunnels alone.
type remoting struct {
	system   *actor.ActorSystem
	server   *grpc.Server
	listener *listener
}

// startRemoting gives the system its logical address, and lets it send to other
// addresses. It must come before the first actor.
//
// Remote insists on a listener of its own. That one is opened on loopback for as
// long as it takes to get at the service behind it, refuses everybody meanwhile, and
// is closed; the service then stands behind a listener that is in memory.
func startRemoting(as *actor.ActorSystem, address string, p peers) (*remoting, error) {
	r := &remoting{system: as, listener: newListener()}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), // the tunnel has its own
		grpc.WithContextDialer(p.dial), grpc.WithNoProxy(),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: time.Hour}),
		grpc.WithStreamInterceptor(guardOutgoing(p)),
		grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(streamWindow),
		grpc.WithMaxHeaderListSize(8 << 10),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<10), grpc.MaxCallSendMsgSize(maxMessage)),
	}
	service, err := takeService(as, address, options)
	if err != nil {
		return nil, err
	}
	r.server = grpc.NewServer(
		grpc.Creds(tunnelCredentials{}),
		grpc.StreamInterceptor(guardIncoming),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(2), grpc.MaxHeaderListSize(8<<10),
		grpc.InitialWindowSize(streamWindow), grpc.InitialConnWindowSize(streamWindow),
		grpc.ConnectionTimeout(helloWait),
	)
	// Only the stream of messages: the calls that list and describe processes panic
	// in the library, and nobody here needs them.
	r.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: remote.Remoting_ServiceDesc.ServiceName,
		HandlerType: (*any)(nil),
		Streams:     remote.Remoting_ServiceDesc.Streams,
	}, service)
	go func() { _ = r.server.Serve(r.listener) }() // ends with the listener
	return r, nil
}

// takeService starts remote and returns its service; its port is closed again.
func takeService(as *actor.ActorSystem, address string, options []grpc.DialOption) (any, error) {
	found := make(chan any, 1)
	capture := func(service any, _ grpc.ServerStream, _ *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
		select {
		case found <- service:
		default:
		}
		return status.Error(codes.Unavailable, "starting")
	}
	refuse := func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
		return nil, status.Error(codes.Unavailable, "starting")
	}
	var r *remote.Remote
	var at string
	var err error
	for range 5 {
		if at, err = freePort(); err != nil {
			return nil, err
		}
		host, port, _ := net.SplitHostPort(at) // of a listener
		number, _ := strconv.Atoi(port)
		config := remote.Configure(host, number,
			remote.WithAdvertisedHost(address), remote.WithDialOptions(options...),
			remote.WithEndpointWriterBatchSize(batchMessages), remote.WithEndpointWriterQueueSize(writerQueue),
			remote.WithEndpointManagerBatchSize(batchMessages), remote.WithEndpointManagerQueueSize(writerQueue),
			remote.WithServerOptions(grpc.StreamInterceptor(capture), grpc.UnaryInterceptor(refuse)))
		config.MaxRetryCount = 1 // dial waits for the tunnel, as long as there is hope
		if r, err = startRemote(as, config); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	defer r.Shutdown(false) // the port alone
	conn, err := grpc.NewClient("passthrough:///"+at, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return nil, fmt.Errorf("start remote: %w", err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), helloWait)
	defer cancel()
	stream, err := remote.NewRemotingClient(conn).Receive(ctx, grpc.WaitForReady(true))
	if err != nil {
		return nil, fmt.Errorf("start remote: %w", err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		return nil, fmt.Errorf("start remote: its service answered %v", err)
	}
	select {
	case service := <-found:
		return service, nil
	case <-ctx.Done():
		return nil, errors.New("start remote: its service was not found")
	}
}

// startRemote is Start with an error where the library panics.
func startRemote(as *actor.ActorSystem, c *remote.Config) (r *remote.Remote, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("start remote: %v", p)
		}
	}()
	r = remote.NewRemote(as, c)
	r.Start()
	return r, nil
}

// freePort is a loopback address that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start remote: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// carry takes a connection that came through a tunnel.
func (r *remoting) carry(c net.Conn, g *guard) { r.listener.put(&carried{Conn: c, guard: g}) }

// lost tells remote that an address cannot be reached now: what waits for it is
// dropped, and who watches actors there hears of it.
func (r *remoting) lost(address string) {
	r.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: address})
}

// stop takes nothing more.
func (r *remoting) stop() {
	_ = r.listener.Close()
	r.server.Stop()
}

// guardOf finds the guard of an incoming stream.
func guardOf(ctx context.Context) (*guard, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil, errNoTunnel
	}
	by, ok := p.AuthInfo.(carriedBy)
	if !ok {
		return nil, errNoTunnel
	}
	return by.guard, nil
}
