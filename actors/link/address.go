package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// CheckAddress says what is wrong with a server's address, or with the proxy on the way
// to it; "" is nothing.
func CheckAddress(address string) string {
	u, problem := parseAddress(address)
	if problem == "" {
		_, problem = proxyFor(u)
	}
	return problem
}

// proxyFor is the proxy that the environment names for an address; nil is none.
func proxyFor(u *url.URL) (*url.URL, string) {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	// The error has the password in it; what cannot be read as an address may come back
	// as one whose host is "http:".
	if err != nil || proxy != nil && strings.HasSuffix(proxy.Host, ":") {
		return nil, "HTTPS_PROXY or HTTP_PROXY is no address of a proxy: want http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"
	}
	return proxy, ""
}

func parseAddress(address string) (*url.URL, string) {
	shown := clip(address, 256)
	if at := strings.LastIndexByte(shown, '@'); at >= 0 {
		shown = "…" + shown[at:] // what is before it may be a password
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Sprintf("%q is no address of a server: want https://HOST or http://HOST:PORT, with its path if it has one", shown)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "http"
	case "https", "wss":
		u.Scheme = "https"
	default:
		return nil, fmt.Sprintf("%q is no address of a server: it begins with neither https:// nor http://", shown)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Sprintf("%q is no address of a server: it has a user, a '?' or a '#' in it; want https://HOST/PATH", shown)
	}
	return u, ""
}

// client is what dials: over the proxy that the environment names, if it names one. It
// follows no redirects: the key is for the address that it was given for.
func (c *JoinConfig) client(u *url.URL) (*http.Client, error) {
	proxy, problem := proxyFor(u)
	if problem != "" {
		return nil, errors.New(problem)
	}
	if proxy != nil {
		c.Logger.Info("the way to the server is through a proxy", "server", u.Host, "proxy", proxy.Host)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // Proxy: from the environment
	transport.TLSClientConfig = &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
	transport.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	transport.ForceAttemptHTTP2 = false // a WebSocket begins with HTTP/1.1
	transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	transport.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
		if answer.StatusCode != http.StatusOK {
			return &proxyRefusal{proxy.Host, answer.Status, answer.StatusCode}
		}
		return nil
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
