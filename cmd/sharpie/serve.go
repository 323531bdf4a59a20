package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"sharpie/actors"
	"sharpie/http"
	"sharpie/persistence"
	"sharpie/web"
)

// Bounds of a start and of an end.
const (
	firstSteps   = 30 * time.Second // demonstrations, secrets, the administrator
	shutdownWait = 5 * time.Second  // answers that are under way
	// lastPages is for those whose session was the last to end: to hear of it, and to
	// open the page that thanks them.
	lastPages = 2 * time.Second
)

// serveCommand runs the platform.
type serveCommand struct {
	storeFlags
	Addr             string        `help:"Address to listen on; port 0 takes a free one." default:":8080" env:"SHARPIE_ADDR"`
	PublicURL        string        `name:"public-url" help:"Where browsers find the server, if not at the address itself: https://lab.example. With https, cookies are marked Secure." placeholder:"URL" env:"SHARPIE_PUBLIC_URL"`
	Slots            int           `help:"Episodes that run in this process at a time, 0 to 10000." default:"64" env:"SHARPIE_SLOTS"`
	Labels           []string      `help:"What the runners of this process offer to experiments that ask for it (gpu, robot)." placeholder:"LABEL" env:"SHARPIE_LABELS"`
	RegistrationKey  string        `help:"What people type to register; without it one is generated and kept in the data folder." placeholder:"TEXT" env:"SHARPIE_REGISTRATION_KEY"`
	OpenRegistration bool          `help:"Let everyone register, without a key." env:"SHARPIE_OPEN_REGISTRATION"`
	Demos            bool          `help:"Install the demonstration experiments." default:"true" negatable:"" env:"SHARPIE_DEMOS"`
	DrainGrace       time.Duration `help:"How long running sessions may go on after a request to stop, 0s to 1h." default:"30s" env:"SHARPIE_DRAIN_GRACE"`
	LoginRate        int           `help:"Log-ins that one address may try per minute, 1 to 100000; 0 is no limit, for benchmarks." default:"60" env:"SHARPIE_LOGIN_RATE"`
	InputsPerSecond  int           `help:"Messages a second that one participant may send, 10 to 1000000; raise it for benchmarks only." default:"120" env:"SHARPIE_INPUTS_PER_SECOND"`
	TrustedProxies   []string      `help:"Addresses or networks of proxies whose X-Forwarded-* headers count." placeholder:"ADDRESS" env:"SHARPIE_TRUSTED_PROXIES"`
	Node             string        `help:"Name of this server, where several share one MongoDB." default:"web" env:"SHARPIE_NODE"`
}

// Help is the longer text of `sharpie serve --help`.
func (*serveCommand) Help() string {
	return `Without flags everything is kept in ./data, and the printed link logs the
administrator in. Ctrl-C stops: no new sessions, running ones get the grace, all
that is recorded is stored. A second Ctrl-C ends at once.

  sharpie serve
  sharpie serve --addr :80 --public-url https://lab.example --trusted-proxies 10.0.0.1
  sharpie serve --mongo mongodb://localhost:27017/sharpie --registration-key spring-study
  SHARPIE_SLOTS=200 sharpie serve --config sharpie.yaml

where sharpie.yaml has lines like these:

  addr: ":80"
  public-url: https://lab.example
  trusted-proxies: [10.0.0.1, 10.1.0.0/16]`
}

// Validate refuses what cannot work, all of it at once.
func (c *serveCommand) Validate() error {
	errs := []error{c.storeFlags.Validate()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, port, err := net.SplitHostPort(c.Addr); err != nil || port == "" {
		bad("--addr %q: want HOST:PORT or :PORT", c.Addr)
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || (u.Path != "" && u.Path != "/") {
			bad("--public-url %q: want http://HOST or https://HOST, without a path", c.PublicURL)
		}
	}
	if c.Slots < 0 || c.Slots > 10_000 {
		bad("--slots %d: allowed is 0 to 10000", c.Slots)
	}
	if c.DrainGrace < 0 || c.DrainGrace > time.Hour {
		bad("--drain-grace %s: allowed is 0s to 1h", c.DrainGrace)
	}
	if c.LoginRate < 0 || c.LoginRate > 100_000 {
		bad("--login-rate %d: allowed is 0 to 100000", c.LoginRate)
	}
	if c.InputsPerSecond < 10 || c.InputsPerSecond > 1_000_000 {
		bad("--inputs-per-second %d: allowed is 10 to 1000000", c.InputsPerSecond)
	}
	if c.OpenRegistration && c.RegistrationKey != "" {
		bad("--open-registration and --registration-key exclude each other")
	}
	for _, p := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(p); err != nil {
			bad("--trusted-proxies %q: want an address (10.0.0.1) or a network (10.0.0.0/8)", p)
		}
	}
	return errors.Join(errs...)
}

// listenError says what to do where somebody else listens already.
func listenError(addr string, err error) error {
	_, text, serr := net.SplitHostPort(addr)
	port, perr := strconv.Atoi(text)
	if !errors.Is(err, syscall.EADDRINUSE) || serr != nil || perr != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	next := port + 1
	if next > 65535 {
		next = 8081
	}
	return fmt.Errorf("port %d is in use: choose another with --addr :%d", port, next)
}

// Run serves until a signal, and ends cleanly.
func (c *serveCommand) Run(a *app) error {
	if err := c.makeData(); err != nil {
		return err
	}
	secrets, fresh, err := loadSecrets(c.Data)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(a.ctx, "tcp", c.Addr)
	if err != nil {
		return listenError(c.Addr, err)
	}
	defer listener.Close()
	store, err := c.open(a)
	if err != nil {
		return err
	}
	p, err := c.assemble(a, store, secrets)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	notice := notice{base: c.base(listener.Addr()), key: secrets.RegistrationKey, freshKey: fresh, store: c.describe(), grace: c.DrainGrace, data: c.Data}
	if c.RegistrationKey != "" {
		notice.key, notice.freshKey = "", false
	}
	notice.open = c.OpenRegistration
	ctx, cancel := context.WithTimeout(a.ctx, firstSteps)
	defer cancel()
	if c.Demos {
		if err := installDemos(ctx, store, a.now().UTC()); err != nil {
			return errors.Join(err, p.close(0))
		}
	}
	if notice.python, err = p.workshop.warm(ctx, a); err != nil {
		return errors.Join(err, p.close(0))
	}
	if notice.admin, err = adminLink(ctx, store, notice.base, a.now().UTC()); err != nil {
		return errors.Join(err, p.close(0))
	}
	served := make(chan error, 1)
	go func() { served <- p.http.Serve(listener) }()
	notice.print(a.stdout, a.version)

	select {
	case err := <-served:
		return errors.Join(err, p.close(0))
	case <-a.ctx.Done():
		fmt.Fprintf(a.stdout, "\nStopping: no new sessions, running ones have %s. Ctrl-C again ends at once.\n", c.DrainGrace)
		if err := p.close(c.DrainGrace); err != nil {
			return fmt.Errorf("stop: %w", err)
		}
		fmt.Fprintln(a.stdout, "Stopped; everything is stored.")
		return nil
	}
}

// platform is what runs, in the order in which it was started.
type platform struct {
	store    persistence.Store
	workshop *workshop
	actors   *actors.System
	http     *http.Server
	control  *control // nil with MongoDB: commands go there themselves
}

// assemble makes everything, with nothing running but the actors.
func (c *serveCommand) assemble(a *app, store persistence.Store, secrets secrets) (*platform, error) {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	pages, err := web.New()
	if err != nil {
		return nil, err
	}
	p := &platform{store: store}
	if p.workshop, err = a.python.open(a, c.Data, store, metrics); err != nil {
		return nil, err
	}
	p.actors, err = actors.New(actors.Config{
		Store: store, Maker: p.workshop.maker,
		Slots: c.Slots, Labels: c.Labels, Node: c.Node, CodeVersion: a.version, RunnerNodes: true,
		Logger: a.log, Metrics: metrics,
		Limits: actors.Limits{InputsPerSecond: c.InputsPerSecond},
	})
	if err != nil {
		return nil, errors.Join(err, p.workshop.close())
	}
	key := c.RegistrationKey
	if key == "" {
		key = secrets.RegistrationKey
	}
	importer := newImporter(store, p.workshop.maker, a.now)
	p.http, err = http.New(http.Config{
		Platform: p.actors, Nodes: p.actors.Nodes(), Store: store, Pages: pages, Static: web.Static(),
		Importer: importer, Folders: importer, Logger: a.log, Registry: metrics,
		Readiness: p.workshop.readiness, Confinement: p.workshop.confinement,
		RegistrationKey: key, OpenRegistration: c.OpenRegistration,
		PublicURL: c.PublicURL, Secret: secrets.Server, TrustedProxies: c.TrustedProxies,
		Limits: c.limits(), Clock: a.now, Version: a.version,
	})
	if err != nil {
		return nil, errors.Join(err, p.drain(0), p.workshop.close())
	}
	if c.Mongo == "" {
		// a folder whose path is too long for a socket, or a file system without
		// them, costs the commands and not the study.
		if p.control, err = startControl(a, controlPath(c.Data), store, p.workshop.maker); err != nil {
			a.log.Warn("import, export, verify and user add have to wait until this server ends", "error", err)
		}
	}
	return p, nil
}

func (c *serveCommand) limits() http.Limits {
	if c.LoginRate == 0 {
		return http.Limits{}.NoRates()
	}
	return http.Limits{LoginPerIP: http.Rate{Burst: c.LoginRate, Every: time.Minute / time.Duration(c.LoginRate)}}
}

// base is the address that people type.
func (c *serveCommand) base(addr net.Addr) string {
	if c.PublicURL != "" {
		u, _ := url.Parse(c.PublicURL) // Validate has seen it
		return u.Scheme + "://" + u.Host
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if port == "80" {
		return "http://" + host
	}
	return "http://" + net.JoinHostPort(host, port)
}

// drain ends the actors: running sessions have the grace.
func (p *platform) drain(grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return p.actors.Drain(ctx)
}

// close ends everything, in the order that loses nothing: sessions while their
// sockets are still open, then the web server, then the store.
func (p *platform) close(grace time.Duration) error {
	playing := p.actors.Health(context.Background()).Sessions > 0
	errs := []error{p.drain(grace)}
	if playing && grace > 0 {
		<-time.After(lastPages)
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWait)
	defer cancel()
	errs = append(errs, p.http.Shutdown(ctx))
	if p.control != nil {
		p.control.close()
	}
	errs = append(errs, p.workshop.close())
	return errors.Join(append(errs, p.store.Close())...)
}
