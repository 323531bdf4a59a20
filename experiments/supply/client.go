package supply

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sharpie/persistence"
)

// Bounds of what a node asks for.
const (
	idleWait   = 30 * time.Second // without a byte
	answerWait = 90 * time.Second // until the first one: the server may read a large bundle
	bundleTry  = 4                // attempts at one bundle
	firstPause = 500 * time.Millisecond
	longPause  = 10 * time.Second
)

// ClientConfig says whom a Client asks. URL and Key are required.
type ClientConfig struct {
	// URL is the server's, as people type it: https://lab.example/prefix.
	URL string
	Key string
	// Roots are the authorities that sign the server's certificate; nil takes the system's.
	Roots *x509.CertPool
	// Version is of the binary.
	Version string
	// Logger defaults to one that discards.
	Logger *slog.Logger
}

// Client asks a server. It may be used from many goroutines. A proxy is taken from the
// environment (HTTPS_PROXY, NO_PROXY).
type Client struct {
	cfg       ClientConfig
	base      string // without a slash at the end
	http      *http.Client
	transport *http.Transport
	log       *slog.Logger
	pause     time.Duration // before a second attempt
	idle      time.Duration
}

// NewClient checks the address and makes a Client.
func NewClient(cfg ClientConfig) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of a server: want https://HOST or http://HOST:PORT, with its path if it has one", cfg.URL)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "http"
	case "https", "wss":
		u.Scheme = "https"
	default:
		return nil, fmt.Errorf("%q is no address of a server: it begins with neither https:// nor http://", cfg.URL)
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	transport := http.DefaultTransport.(*http.Transport).Clone() // Proxy: from the environment
	transport.TLSClientConfig = &tls.Config{RootCAs: cfg.Roots, MinVersion: tls.VersionTLS12}
	transport.DisableCompression = true // bundles are packed
	transport.ResponseHeaderTimeout = answerWait
	c := &Client{
		cfg: cfg, base: strings.TrimSuffix(u.String(), "/"), transport: transport,
		// the key is for the address that it was given for
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		log:  cfg.Logger, pause: firstPause, idle: idleWait,
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Close lets go of connections that nobody uses.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Bundle fetches the packed bundle with that hash; whether it is what the hash says is for
// the caller to see. Where the connection breaks, or the server is busy, it tries again,
// four times in all.
func (c *Client) Bundle(ctx context.Context, hash string) ([]byte, error) {
	began, pause := time.Now(), c.pause
	for try := 1; ; try++ {
		data, err := c.bundle(ctx, hash)
		if err == nil {
			c.log.Info("bundle fetched", "bundle", hash, "bytes", len(data), "took", time.Since(began).Round(time.Millisecond))
			return data, nil
		}
		var r *Refusal
		if try == bundleTry || ctx.Err() != nil || errors.As(err, &r) && !r.passing() || errors.Is(err, errTooLarge) {
			return nil, fmt.Errorf("bundle %.12s could not be fetched from %s: %w", hash, c.base, err)
		}
		wait := pause
		if r != nil {
			wait = max(wait, min(r.after, longPause))
		}
		c.log.Warn("a bundle did not come whole; trying again", "bundle", hash, "error", err, "in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		pause *= 2
	}
}

func (c *Client) bundle(ctx context.Context, hash string) ([]byte, error) {
	a, err := c.get(ctx, BundlesPath+url.PathEscape(hash), nil)
	if err != nil {
		return nil, err
	}
	defer a.close()
	return a.read(persistence.MaxBundle)
}

// Listing asks what to prepare. known is the tag of a listing that the caller has, or
// empty; where nothing changed since, the listing is nil.
func (c *Client) Listing(ctx context.Context, labels []string, known string) (*Listing, string, error) {
	path := ExperimentsPath
	if len(labels) > 0 {
		path += "?" + url.Values{LabelParameter: labels}.Encode()
	}
	header := http.Header{}
	if known != "" {
		header.Set("If-None-Match", known)
	}
	a, err := c.get(ctx, path, header)
	if err != nil {
		return nil, "", err
	}
	defer a.close()
	if a.StatusCode == http.StatusNotModified {
		return nil, known, nil
	}
	// what is around the definitions is small beside them
	data, err := a.read(2 * MaxListing)
	if err != nil {
		return nil, "", err
	}
	l := new(Listing)
	if err := json.Unmarshal(data, l); err != nil {
		return nil, "", fmt.Errorf("the server's list of experiments cannot be read: %w", err)
	}
	if len(l.Experiments) > MaxListed {
		return nil, "", fmt.Errorf("the server's list has %d experiments; allowed are %d", len(l.Experiments), MaxListed)
	}
	return l, a.Header.Get("ETag"), nil
}
