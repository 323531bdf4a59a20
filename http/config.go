package http

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sharpie/actors"
	"sharpie/experiments"
	"sharpie/persistence"
	"sharpie/web"
)

// Importer stores the experiment files that administrators upload.
type Importer interface {
	// Check says what is wrong with an experiment's file: experiments.ErrInvalid
	// with one line per problem. It stores nothing.
	Check(file string, yaml []byte) error
	// Import checks the file and stores a new version where something changed; it
	// returns the version in force and whether it is new.
	Import(ctx context.Context, file string, yaml []byte, by string) (*persistence.Experiment, bool, error)
}

// FolderImporter stores experiments that come as folders: a config.yaml, and the
// Python files and models that it needs.
type FolderImporter interface {
	// ImportFolder checks the folder and stores a new version where something
	// changed; it returns the version in force and whether it is new. Progress gets
	// a line for each thing that is done. What is wrong with the folder is
	// experiments.ErrInvalid with one line per problem.
	ImportFolder(ctx context.Context, name string, files fs.FS, by string, progress func(string)) (*persistence.Experiment, bool, error)
}

// Config is everything that a Server needs.
type Config struct {
	Platform actors.Platform
	Store    persistence.Store
	Pages    *web.Pages
	// Static is served under /static/, its files cached for ever.
	Static   fs.FS
	Importer Importer
	// Folders imports zip files of folders; nil: Admin offers no such form.
	Folders FolderImporter
	// Readiness says whether the interpreter of an experiment's Python code is ready
	// to run it, and what it is or what to do, in a sentence; nil: Admin does not say.
	Readiness func(ctx context.Context, def *experiments.Definition) (text string, ok bool)
	// Confinement says how an experiment's Python code is shut in: "bubblewrap", or
	// "unconfined: " and why; nil: Admin shows what the last episode said.
	Confinement func(def *experiments.Definition) string
	// Nodes takes runner nodes in; nil: nobody may join.
	Nodes  actors.Nodes
	Logger *slog.Logger
	// Registry gets the server's metrics and answers /metrics.
	Registry *prometheus.Registry
	// RegistrationKey must be typed to register. Empty: nobody can register,
	// unless OpenRegistration.
	RegistrationKey  string
	OpenRegistration bool
	// PublicURL is where browsers find the server ("https://lab.example"); empty
	// where it is only known by the Host header.
	PublicURL string
	// Secret signs form tokens, at least 32 bytes.
	Secret []byte
	// SecureCookies marks cookies Secure even where a request looks like plain
	// HTTP. An https PublicURL does the same.
	SecureCookies bool
	// TrustedProxies are the addresses or networks whose X-Forwarded-For and
	// X-Forwarded-Proto headers count.
	TrustedProxies []string
	Limits         Limits
	// Clock is time.Now where nil.
	Clock func() time.Time
	// Version of the program, for Admin.
	Version string
}

// Limits bounds what visitors can ask for. Zero fields get the defaults.
type Limits struct {
	LoginPerIP    Rate // every attempt
	LoginPerName  Rate // attempts that failed
	RegisterPerIP Rate
	Body          int           // bytes of a request, 1 MiB
	Upload        int           // bytes of an upload, 2 MiB
	Folder        int           // bytes of an experiment's folder, packed or not, 64 MiB
	Import        time.Duration // for a folder to be imported, 10 min
	Request       time.Duration // for a request to be answered, 15 s
	Sockets       int           // open at once, 20,000
	Checks        int           // connection checks open at once, 1,000
	Silence       time.Duration // a socket that says nothing is closed, 30 s
	Write         time.Duration // a socket that takes nothing is closed, 10 s
	Check         time.Duration // a connection check ends, 30 s
}

// NoRates switches the rate limits off, for benchmarks on one machine.
func (l Limits) NoRates() Limits {
	none := Rate{Burst: -1} // the zero Rate is the default
	l.LoginPerIP, l.LoginPerName, l.RegisterPerIP = none, none, none
	return l
}

func (l Limits) withDefaults() Limits {
	rate := func(r *Rate, burst int, every time.Duration) {
		if *r == (Rate{}) {
			*r = Rate{Burst: burst, Every: every}
		}
	}
	// A class of people behind one address logs in within a minute.
	rate(&l.LoginPerIP, 60, time.Second)
	rate(&l.LoginPerName, 10, 30*time.Second)
	rate(&l.RegisterPerIP, 60, 5*time.Second)
	positive(&l.Body, 1<<20)
	positive(&l.Upload, 2<<20)
	positive(&l.Folder, 64<<20)
	positive(&l.Import, 10*time.Minute)
	positive(&l.Request, 15*time.Second)
	positive(&l.Sockets, 20_000)
	positive(&l.Checks, 1_000)
	positive(&l.Silence, 30*time.Second)
	positive(&l.Write, 10*time.Second)
	positive(&l.Check, 30*time.Second)
	return l
}

func positive[T int | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// check fills the defaults and refuses what cannot work.
func (c *Config) check() error {
	var errs []error
	need := func(ok bool, name string) {
		if !ok {
			errs = append(errs, fmt.Errorf("http: Config.%s is missing", name))
		}
	}
	need(c.Platform != nil, "Platform")
	need(c.Store != nil, "Store")
	need(c.Pages != nil, "Pages")
	need(c.Static != nil, "Static")
	need(c.Importer != nil, "Importer")
	need(c.Logger != nil, "Logger")
	need(c.Registry != nil, "Registry")
	if len(c.Secret) < 32 {
		errs = append(errs, fmt.Errorf("http: Config.Secret has %d bytes, needs at least 32", len(c.Secret)))
	}
	if len(c.RegistrationKey) > keyMax {
		errs = append(errs, fmt.Errorf("http: Config.RegistrationKey has %d bytes, at most %d are allowed", len(c.RegistrationKey), keyMax))
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" {
			errs = append(errs, fmt.Errorf("http: Config.PublicURL is %q, needs http:// or https:// and a host, without a path", c.PublicURL))
		} else {
			c.PublicURL = u.Scheme + "://" + u.Host
			c.SecureCookies = c.SecureCookies || u.Scheme == "https"
		}
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.Limits = c.Limits.withDefaults()
	return errors.Join(errs...)
}

// parseNetworks reads addresses ("10.0.0.1") and networks ("10.0.0.0/8").
func parseNetworks(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p.Masked())
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("http: trusted proxy %q is neither an address (10.0.0.1) nor a network (10.0.0.0/8)", s)
		}
		a = a.Unmap()
		out = append(out, netip.PrefixFrom(a, a.BitLen()))
	}
	return out, nil
}
