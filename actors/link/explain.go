package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/yamux"
)

// CodeHeader marks an answer that refuses a node as the server's own, not a proxy's.
const CodeHeader = "Sharpie-Refused"

// NoUpgrade is CodeHeader's value where a request came without what asks for a WebSocket.
const NoUpgrade = "upgrade"

// proxyRefusal is what a proxy answered instead of connecting.
type proxyRefusal struct {
	proxy  string // HOST:PORT
	status string
	code   int
}

// Error is a sentence.
func (r *proxyRefusal) Error() string {
	if r.code == http.StatusProxyAuthRequired {
		return fmt.Sprintf("The proxy %s wants a user and a password that it knows: HTTPS_PROXY=http://USER:PASSWORD@%s.", r.proxy, r.proxy)
	}
	return fmt.Sprintf("The proxy %s does not connect to the server: it answered with %s.", r.proxy, r.status)
}

// explain makes a sentence of a connection that did not begin.
func (j *joiner) explain(answer *http.Response, err error) *End {
	switch {
	case answer == nil:
		return j.unreachable(err)
	case answer.StatusCode == http.StatusSwitchingProtocols:
		return j.stranger(fmt.Sprintf("The WebSocket began wrongly: %v.", err))
	}
	said, code := sentence(answer), answer.Header.Get(CodeHeader)
	host := j.url.Host
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized && code != "":
		return &End{"refused", orElse(said, "The server does not know the key.")}
	case status == http.StatusForbidden && code != "":
		return &End{"revoked", orElse(said, "The key was revoked.")}
	case status == http.StatusUpgradeRequired && code == NoUpgrade:
		return &End{"address", fmt.Sprintf("Something in front of %s takes WebSockets for plain requests: it has to pass the headers Upgrade and Connection on.", host)}
	case status == http.StatusUpgradeRequired:
		return &End{"protocol", fmt.Sprintf("%s This node is sharpie %s.", orElse(said, "The server is of another version. Use the same sharpie on both."), j.cfg.Version)}
	case status >= 300 && status < 400:
		return j.redirected(answer)
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status < 300:
		return &End{"address", fmt.Sprintf("There is no SHARPIE server at %s, or its path is another: %s answered with %s.", j.cfg.URL, host, answer.Status)}
	case status == http.StatusBadRequest && j.url.Scheme == "http":
		return &End{"lost", fmt.Sprintf("%s answered with %s. Is it https:// instead of http://? %s", host, answer.Status, said)}
	}
	return &End{"lost", strings.TrimSpace(fmt.Sprintf("%s answered with %s. %s", host, answer.Status, said))}
}

// stranger is whoever opens a WebSocket and is no server of this version.
func (j *joiner) stranger(why string) *End {
	return &End{"stranger", fmt.Sprintf("%s opened a WebSocket, but not as a SHARPIE server of this version (%s) does. %s", j.url.Host, j.cfg.Version, why)}
}

// redirected says where to instead.
func (j *joiner) redirected(answer *http.Response) *End {
	to, err := answer.Location()
	if err != nil {
		return &End{"address", fmt.Sprintf("%s answered with %s, and does not say where to.", j.url.Host, answer.Status)}
	}
	to.RawQuery, to.Fragment, to.User = "", "", nil
	if base, ok := strings.CutSuffix(to.String(), Path); ok {
		return &End{"address", fmt.Sprintf("%s sends its visitors to another address. Give that: --join %s", j.url.Host, clip(base, 256))}
	}
	return &End{"address", fmt.Sprintf("%s sends its visitors to %s: something in front of the server wants a log-in, or there is none. Nodes have to reach %s without.",
		j.url.Host, clip(to.String(), 256), j.url.Path)}
}

// ungreeted is the end of a connection on which the server has not greeted.
func (j *joiner) ungreeted(t *tunnel, err error) *End {
	if t.session.IsClosed() {
		_, why := t.session.AcceptStream() // at once, with the reason
		if errors.Is(why, yamux.ErrInvalidVersion) || errors.Is(why, yamux.ErrInvalidMsgType) {
			return j.stranger("What it says is of no tunnel.")
		}
	}
	var timeout net.Error
	switch {
	case errors.Is(err, errControl):
		return j.stranger(fmt.Sprintf("It sent %v.", err))
	case errors.As(err, &timeout) && timeout.Timeout():
		return &End{"lost", fmt.Sprintf("%s opened a WebSocket and did not greet the node within %s.", j.url.Host, helloWait)}
	}
	return &End{"lost", "The server ended the connection: " + err.Error() + "."}
}

// unreachable is why nobody answered.
func (j *joiner) unreachable(err error) *End {
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var proxy *proxyRefusal
	var op *net.OpError
	var plain *url.Error
	host := j.url.Host
	switch {
	case errors.As(err, &authority):
		return &End{"certificate", fmt.Sprintf("The certificate of %s is signed by nobody that this computer trusts. Give the authority's file with --ca FILE.", host)}
	case errors.As(err, &hostname):
		return &End{"certificate", fmt.Sprintf("The certificate of %s is for another name: %s.", host, hostname.Error())}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &End{"certificate", fmt.Sprintf("The certificate of %s has expired, or is not valid yet: %s. Is this computer's clock right?", host, invalid.Detail)}
	case errors.As(err, &invalid):
		return &End{"certificate", fmt.Sprintf("The certificate of %s is not valid: %s.", host, invalid.Error())}
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return &End{"certificate", fmt.Sprintf("%s does not speak TLS. Is it http:// instead of https://?", host)}
	case errors.As(err, &proxy):
		return &End{"lost", proxy.Error()}
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return &End{"lost", fmt.Sprintf("The proxy that HTTPS_PROXY or HTTP_PROXY names cannot be reached: %v.", op.Err)}
	case errors.As(err, &op):
		return &End{"lost", fmt.Sprintf("%s cannot be reached: %s.", host, op.Error())}
	case errors.Is(err, context.DeadlineExceeded):
		return &End{"lost", fmt.Sprintf("%s did not answer within %s.", host, dialTimeout)}
	case errors.As(err, &plain):
		return &End{"lost", fmt.Sprintf("%s cannot be reached: %v.", host, plain.Err)}
	}
	return &End{"lost", fmt.Sprintf("%s cannot be reached: %s.", host, err.Error())}
}

// skew names the versions of both ends where they differ, since that may be the reason.
func skew(node, server string) string {
	if node == server {
		return ""
	}
	return fmt.Sprintf(" The node is sharpie %s, the server sharpie %s: use the same on both.", clip(orElse(node, "(unknown)"), 64), clip(orElse(server, "(unknown)"), 64))
}

// sentence is what the server says to a refusal; nothing for a proxy's page.
func sentence(answer *http.Response) string {
	if answer.Header.Get(CodeHeader) == "" || answer.Body == nil {
		return ""
	}
	b, _ := io.ReadAll(io.LimitReader(answer.Body, 512))
	return strings.TrimSpace(strings.ToValidUTF8(string(b), ""))
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
