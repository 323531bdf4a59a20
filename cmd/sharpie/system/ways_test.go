package system

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sharpie/persistence"
)

// farName is a name of the server that no resolver knows (RFC 6761).
const farName = "lab.invalid"

// authority signs certificates that nobody trusts who has not its file.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string // PEM
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(t.TempDir(), "authority.pem")}
	var der []byte
	a.key, der = a.make(&x509.Certificate{
		Subject: pkix.Name{CommonName: "An authority of one's own"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, time.Hour)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	writeFile(t, a.file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return a
}

// make signs a certificate that is good for so long from now, or was until so long ago.
func (a *authority) make(c *x509.Certificate, good time.Duration) (*ecdsa.PrivateKey, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-24*time.Hour), time.Now().Add(good)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, der
}

// certificate is for servers with these names.
func (a *authority) certificate(good time.Duration, names ...string) tls.Certificate {
	a.t.Helper()
	c := &x509.Certificate{Subject: pkix.Name{CommonName: names[0]}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, name)
		}
	}
	key, der := a.make(c, good)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// trust is what a browser has that trusts the authority.
func (a *authority) trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool}
}

// front puts a web server with TLS before the server, below a path that it takes away
// from what it passes on. It returns its HOST:PORT.
func (s *server) front(cert tls.Certificate, prefix string) string {
	s.t.Helper()
	to := &url.URL{Scheme: "http", Host: s.addr}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
		r.Out.Host = r.In.Host
	}}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		s.t.Fatal(err)
	}
	web := &http.Server{Handler: http.StripPrefix(prefix, proxy), ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = web.Serve(l) }() // ends with Close
	s.t.Cleanup(func() { _ = web.Close() })
	return l.Addr().String()
}

// nodeBy prepares a node that joins at an address, with a trusted authority.
func (s *server) nodeBy(address, key string, a *authority, flags ...string) *pythonNode {
	s.t.Helper()
	if a != nil {
		flags = append(flags, "--ca", a.file)
	}
	n := s.pythonNode(key, append(flags, "--join", address)...)
	// what the machine of the test has for itself
	n.env = []string{"HTTPS_PROXY=", "HTTP_PROXY=", "NO_PROXY=", "https_proxy=", "http_proxy=", "no_proxy="}
	return n
}

// ends waits for the end of a node that cannot work, and returns its exit code.
func (n *pythonNode) ends() int {
	n.t.Helper()
	select {
	case <-n.done:
		return n.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		n.t.Fatalf("the node still runs after %s; it said:\n%s", patience, n.log.tail(20))
		return 0
	}
}

// wayStudy is played to its end within a second or two.
func wayStudy(link string, lines ...string) study {
	return study{link: link, seats: 1, fps: 60, lines: append([]string{"max_steps: 60"}, lines...)}
}

// playedFar checks that every episode of an experiment was played to its end by a node.
func playedFar(t *testing.T, store persistence.Store, link string, count int, node string, steps int64) {
	t.Helper()
	all := episodes(t, store, link)
	if len(all) != count {
		t.Fatalf("%d episodes of %s are stored, want %d", len(all), link, count)
	}
	for _, e := range all {
		if !strings.HasPrefix(string(e.Runner), node+".") || e.Status != "truncated" || e.Steps != steps || e.StoredSteps != e.records {
			t.Errorf("%s: run by %q, %s after %d steps, with %d records stored of %d; want the node %s, and all of %d steps",
				link, e.Runner, e.Status, e.Steps, e.records, e.StoredSteps, node, steps)
		}
	}
}

func TestANodeJoinsThroughTLSOfOnesOwnAndBelowAPath(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{wayStudy("tls")}, "--slots", "0", "--trusted-proxies", "127.0.0.1")
	a, key := newAuthority(t), s.runnerKey()
	good := a.certificate(time.Hour, "127.0.0.1", farName)
	root, below := s.front(good, ""), s.front(good, "/lab")
	ada := s.register("ada")
	for _, address := range []string{"https://" + root, "https://" + below + "/lab", "wss://" + below + "/lab/"} {
		n := s.nodeBy(address, key, a)
		mark := s.log.mark()
		n.start()
		s.loggedSince(mark, "runner node joined")
		ada.playOnce("tls")
		if code := n.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("%s: the node ended with %d:\n%s", address, code, n.log.tail(20))
		}
	}
	s.kill()
	playedFar(t, s.store(), "tls", 3, "far", 60)
}

func TestANodeSaysWhatIsWrongWithACertificate(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil, "--slots", "0")
	a, other, key := newAuthority(t), newAuthority(t), s.runnerKey()
	good := s.front(a.certificate(time.Hour, "127.0.0.1"), "/lab")
	for _, c := range []struct {
		name, address string
		trusted       *authority
		want          []string
	}{
		{"no authority", good + "/lab", nil, []string{"is signed by nobody that this computer trusts", "--ca FILE"}},
		{"another authority", good + "/lab", other, []string{"is signed by nobody that this computer trusts", "--ca FILE"}},
		{"another name", s.front(a.certificate(time.Hour, farName), "/lab") + "/lab", a, []string{"is for another name", "127.0.0.1"}},
		{"expired", s.front(a.certificate(-time.Hour, "127.0.0.1"), "/lab") + "/lab", a, []string{"has expired", "clock"}},
		{"another path", good + "/lap", a, []string{"no SHARPIE server at https://" + good + "/lap", "404 Not Found"}},
		{"no TLS there", s.addr, a, []string{"does not speak TLS", "http:// instead of https://"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := s.nodeBy("https://"+c.address, key, c.trusted)
			n.t = t
			n.start()
			if code := n.ends(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			said := n.log.text()
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("the node does not say %q:\n%s", want, said)
				}
			}
		})
	}
}
