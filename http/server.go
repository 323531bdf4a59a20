package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// limitKeys bounds each rate limit's table.
const limitKeys = 20_000

// Server is the web server. New makes it, Serve runs it, Shutdown ends it.
type Server struct {
	cfg        Config
	app        *fiber.App
	log        *slog.Logger
	metrics    *metrics
	publicHost string
	proxies    []netip.Prefix

	forms, flashes signer
	logins         *logins
	passwords      *passwords
	perIP          *throttle // login attempts by address
	perName        *throttle // failed logins by name
	registrations  *throttle // by address
	definitions    *definitions
	bundles        *bundleSizes
	waitingViews   waitingViews
	tickets        *tickets
	assets         *assets
	sockets        *sockets
	listener       atomic.Pointer[listener]

	started time.Time
	rights  sync.Mutex // held while users' rights change

	// base ends when the server has to: every request's context stems from it.
	base context.Context
	stop context.CancelFunc
	over atomic.Bool
}

// New makes a server. It fails where the configuration cannot work, with
// everything that is wrong with it.
func New(cfg Config) (*Server, error) {
	err := cfg.check()
	proxies, perr := parseNetworks(cfg.TrustedProxies)
	if err := errors.Join(err, perr); err != nil {
		return nil, err
	}
	m, err := newMetrics(cfg.Registry)
	if err != nil {
		return nil, err
	}
	l := cfg.Limits
	s := &Server{
		cfg: cfg, log: cfg.Logger, metrics: m, proxies: proxies,
		forms: newSigner(cfg.Secret, "sharpie form token"), flashes: newSigner(cfg.Secret, "sharpie flash"),
		logins:        newLogins(cfg.Store, cfg.Clock, func() bool { return cfg.Platform.Health(context.Background()).Store != nil }),
		passwords:     newPasswords(),
		perIP:         newThrottle(l.LoginPerIP, limitKeys, cfg.Clock),
		perName:       newThrottle(l.LoginPerName, limitKeys, cfg.Clock),
		registrations: newThrottle(l.RegisterPerIP, limitKeys, cfg.Clock),
		definitions:   newDefinitions(),
		bundles:       newBundleSizes(),
		tickets:       newTickets(),
		assets:        newAssets(cfg.Static),
		sockets:       newSockets(l, m),
		started:       cfg.Clock(),
	}
	if u, err := url.Parse(cfg.PublicURL); err == nil {
		s.publicHost = u.Host
	}
	s.base, s.stop = context.WithCancel(context.Background())
	s.app = fiber.New(fiber.Config{
		AppName:               "SHARPIE",
		DisableStartupMessage: true,
		// Strings from a request are kept in logins, sockets and caches.
		Immutable:    true,
		BodyLimit:    l.Upload + 64<<10, // room for the form around a file
		ReadTimeout:  30 * time.Second,
		WriteTimeout: 30 * time.Second,
		IdleTimeout:  90 * time.Second,
		ErrorHandler: s.lastResort,
	})
	s.app.Server().HeaderReceived = s.largeBodies
	s.routes()
	return s, nil
}

// Serve answers on the listener until Shutdown; nil after it.
func (s *Server) Serve(l net.Listener) error {
	own := newListener(l)
	s.listener.Store(own)
	if err := s.app.Listener(own); err != nil {
		return fmt.Errorf("http: serve %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown takes no more connections, closes every socket with "going away",
// and waits for what is being answered, until the context's deadline.
func (s *Server) Shutdown(ctx context.Context) error {
	s.over.Store(true)
	s.sockets.stop()
	if l := s.listener.Load(); l != nil {
		l.hangUp()
	}
	err := s.app.ShutdownWithContext(ctx)
	serr := s.sockets.wait(ctx)
	s.stop()
	if err := errors.Join(err, serr); err != nil {
		return fmt.Errorf("http: shut down: %w", err)
	}
	return nil
}

// stopping says that Shutdown was called.
func (s *Server) stopping() bool { return s.over.Load() }
