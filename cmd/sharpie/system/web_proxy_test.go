package system

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sharpie/envs/python/pythontest"
)

// webProxy is a proxy as companies have it: it connects for those that ask by CONNECT,
// and alone knows what the names outside mean.
type webProxy struct {
	t     testing.TB
	addr  string            // HOST:PORT
	names map[string]string // HOST:PORT outside → HOST:PORT

	mu     sync.Mutex
	wanted string // "user:password"; "" is nobody in particular
	refuse int    // a status; 0 connects
	asked  []string
}

func newWebProxy(t testing.TB, names map[string]string) *webProxy {
	p := &webProxy{t: t, names: names}
	web := httptest.NewServer(p)
	t.Cleanup(web.Close)
	p.addr = web.Listener.Addr().String()
	return p
}

// behave changes what it answers.
func (p *webProxy) behave(wanted string, refuse int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted, p.refuse = wanted, refuse
}

// connections are what it was asked to connect to.
func (p *webProxy) connections() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// ServeHTTP implements http.Handler.
func (p *webProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Host)
	wanted, refuse := p.wanted, p.refuse
	p.mu.Unlock()
	switch {
	case r.Method != http.MethodConnect:
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	case refuse != 0:
		http.Error(w, "<h1>Blocked by policy</h1>", refuse)
		return
	case wanted != "" && r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(wanted)):
		w.Header().Set("Proxy-Authenticate", "Basic")
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
		return
	}
	there, err := net.DialTimeout("tcp", p.names[r.Host], patience)
	if err != nil {
		http.Error(w, "no such host", http.StatusBadGateway)
		return
	}
	defer there.Close()
	w.WriteHeader(http.StatusOK)
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.t.Error(err)
		return
	}
	defer here.Close()
	ended := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(there, buffered); ended <- struct{}{} }()
	go func() { _, _ = io.Copy(here, there); ended <- struct{}{} }()
	<-ended
}

func TestANodeComesThroughAProxyWithAllThatItNeeds(t *testing.T) {
	t.Parallel()
	python := pythontest.Interpreter(t)
	s := serve(t, "", []study{wayStudy("proxied")}, "--python", python, "--slots", "0", "--trusted-proxies", "127.0.0.1")
	s.imports(gallery(t, "counter", "pass", "session"))
	a := newAuthority(t)
	p := newWebProxy(t, map[string]string{farName + ":443": s.front(a.certificate(time.Hour, farName), "/lab")})
	p.behave("ada:hush", 0)
	n := s.nodeBy("https://"+farName+"/lab", s.runnerKey(), a, "--python", python)
	n.env = append(n.env, "HTTPS_PROXY=http://ada:hush@"+p.addr, "NO_PROXY=elsewhere.invalid")
	n.start()
	n.says(0, "through a proxy", "proxy="+p.addr)
	n.says(0, "can be played here", "experiment=counter")
	ada := s.register("ada")
	ada.playOnce("proxied")
	ada.playOnce("counter")
	if got := n.fetched(); got != 1 {
		t.Errorf("the node fetched %d bundles, want 1", got)
	}
	if code := n.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("the node ended with %d:\n%s", code, n.log.tail(20))
	}
	if strings.Contains(n.log.text(), "hush") {
		t.Errorf("the proxy's password is in the log:\n%s", n.log.text())
	}
	asked := p.connections()
	if len(asked) < 2 || slices.ContainsFunc(asked, func(to string) bool { return to != farName+":443" }) {
		t.Errorf("the proxy was asked for %q, want the tunnel and the files of %s", asked, farName)
	}
	s.kill()
	playedFar(t, s.store(), "proxied", 1, "far", 60)
}

func TestANodeSaysWhatAProxyRefusesAndGoesOnTrying(t *testing.T) {
	t.Parallel()
	s := serve(t, "", []study{wayStudy("allowed")}, "--slots", "0", "--trusted-proxies", "127.0.0.1")
	a := newAuthority(t)
	p := newWebProxy(t, map[string]string{farName + ":443": s.front(a.certificate(time.Hour, farName), "")})
	p.behave("ada:hush", 0)
	n := s.nodeBy("https://"+farName, s.runnerKey(), a)
	n.env = append(n.env, "HTTPS_PROXY=http://"+p.addr)
	n.start()
	n.says(0, "trying again", "The proxy "+p.addr+" wants a user and a password", "HTTPS_PROXY=http://USER:PASSWORD@"+p.addr)
	p.behave("", http.StatusForbidden)
	n.says(0, "trying again", "The proxy "+p.addr+" does not connect to the server: it answered with 403 Forbidden.")
	p.behave("", http.StatusBadGateway)
	n.says(0, "trying again", "502 Bad Gateway")
	p.behave("", 0)
	n.says(0, "joined")
	s.register("ada").playOnce("allowed")
	n.stop(syscall.SIGTERM)
	s.kill()
	playedFar(t, s.store(), "allowed", 1, "far", 60)
}

func TestANodeUsesTheProxyForWhatItIsFor(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil, "--slots", "0")
	key, p := s.runnerKey(), newWebProxy(t, nil)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := nobody.Addr().String()
	_ = nobody.Close()
	for _, c := range []struct {
		name, address string
		env           []string
		asked         bool
		want          []string
		code          int // -1: it goes on trying
	}{
		{"a name in NO_PROXY", "https://" + farName, []string{"HTTPS_PROXY=http://" + p.addr, "NO_PROXY=.invalid"}, false, []string{"trying again", farName}, -1},
		{"this computer", s.base, []string{"HTTP_PROXY=http://" + p.addr, "HTTPS_PROXY=http://" + p.addr}, false, []string{"joined"}, -1},
		{"a proxy that is not there", "https://" + farName, []string{"HTTPS_PROXY=http://" + nowhere}, false, []string{"trying again", "The proxy that HTTPS_PROXY or HTTP_PROXY names cannot be reached", nowhere}, -1},
		{"a name that the proxy does not know", "https://" + farName, []string{"HTTPS_PROXY=http://" + p.addr}, true, []string{"trying again", "502 Bad Gateway"}, -1},
		{"what is no proxy", "https://" + farName, []string{"HTTPS_PROXY=http://ada:hu sh@" + p.addr}, false, []string{"HTTPS_PROXY or HTTP_PROXY is no address of a proxy"}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(p.connections())
			n := s.nodeBy(c.address, key, nil)
			n.t = t
			n.env = append(n.env, c.env...)
			n.start()
			if c.code < 0 {
				n.says(0, c.want...)
				if code := n.stop(syscall.SIGTERM); code != 0 {
					t.Errorf("exit code %d after SIGTERM", code)
				}
			} else if code := n.ends(); code != c.code || !strings.Contains(n.log.text(), c.want[0]) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, c.code, c.want[0], n.log.text())
			}
			if asked := len(p.connections()) > before; asked != c.asked {
				t.Errorf("the proxy was asked is %t, want %t", asked, c.asked)
			}
			if strings.Contains(n.log.text(), "hu sh") {
				t.Errorf("the proxy's password is in the log:\n%s", n.log.text())
			}
		})
	}
}
