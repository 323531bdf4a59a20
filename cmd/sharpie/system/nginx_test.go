package system

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// nginxProgram is the machine's nginx, or the one that .ci/nginx fetched.
func nginxProgram(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx", filepath.Join("..", "..", "..", ".cache", "nginx", "usr", "sbin", "nginx")} {
		if path, err := exec.LookPath(name); err == nil {
			path, err = filepath.Abs(path)
			if err != nil {
				t.Fatal(err)
			}
			return path
		}
	}
	t.Skip("NOT CHECKED: the way through nginx: there is no nginx (.ci/nginx fetches it)")
	return ""
}

// fenced are the blocks of a kind in docs/DEPLOYMENT.md.
func fenced(t *testing.T, kind string) []string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "DEPLOYMENT.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```"+kind+"\n(.*?)```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(m[1]))
	}
	return blocks
}

// nginx is a real one, with the configuration of docs/DEPLOYMENT.md.
type nginx struct {
	t       *testing.T
	program string
	dir     string
	addr    string // HOST:PORT of TLS
	master  int
	done    chan struct{}
}

// replaced puts the test's own in the place of what the page names, which it must have.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the configuration in docs/DEPLOYMENT.md does not have %q:\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// startNginx starts nginx before a server: all of it, and its nodes below /lab.
func startNginx(t *testing.T, addr, server string, cert tls.Certificate) *nginx {
	t.Helper()
	n := &nginx{t: t, program: nginxProgram(t), dir: t.TempDir(), addr: addr, done: make(chan struct{})}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(n.dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})))
	writeFile(t, filepath.Join(n.dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	blocks := fenced(t, "nginx")
	if len(blocks) != 2 {
		t.Fatalf("docs/DEPLOYMENT.md has %d configurations of nginx, want the server's and that of a path", len(blocks))
	}
	site := replaced(t, blocks[0], "listen 443 ssl;", "listen "+addr+" ssl;", "127.0.0.1:8080", server,
		"/etc/ssl/play.example.org.pem", filepath.Join(n.dir, "cert.pem"), "/etc/ssl/play.example.org.key", filepath.Join(n.dir, "key.pem"),
		"server_name play.example.org;", "server_name localhost;")
	below := replaced(t, blocks[1], "127.0.0.1:8080", server)
	end := strings.LastIndexByte(site, '}')
	writeFile(t, filepath.Join(n.dir, "site.conf"), site[:end]+below+site[end:])
	var temporary strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "\t%s_temp_path %s;\n", kind, filepath.Join(n.dir, kind))
	}
	user := ""
	if os.Getuid() == 0 { // its workers read what the test's user wrote
		user = "user root;\n"
	}
	writeFile(t, filepath.Join(n.dir, "nginx.conf"), user+"daemon off;\nworker_processes 1;\nerror_log stderr;\npid "+filepath.Join(n.dir, "pid")+
		";\nevents {}\nhttp {\n\taccess_log off;\n"+temporary.String()+"\tinclude site.conf;\n}\n")
	n.start()
	return n
}

func (n *nginx) command(more ...string) *exec.Cmd {
	return exec.Command(n.program, append([]string{"-p", n.dir, "-c", filepath.Join(n.dir, "nginx.conf"), "-e", "stderr"}, more...)...)
}

func (n *nginx) start() {
	n.t.Helper()
	log := &lines{}
	cmd := n.command()
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // its workers end with it
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.master = cmd.Process.Pid
	go func() {
		_ = cmd.Wait()
		close(n.done)
	}()
	n.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-n.done
		if n.t.Failed() {
			n.t.Logf("nginx says:\n%s", log.tail(20))
		}
	})
	eventually(n.t, "nginx listens", func() bool {
		select {
		case <-n.done:
			n.t.Fatalf("nginx ended by itself:\n%s", log.text())
		default:
		}
		c, err := net.Dial("tcp", n.addr)
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	})
}

// workers are its worker processes.
func (n *nginx) workers() []int {
	var all []int
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", n.master, n.master)) // none where it ended
	for _, field := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// reload is what an operator does after a change, or a new certificate; it returns the
// workers of before, which go on for those whom they serve.
func (n *nginx) reload() []int {
	n.t.Helper()
	former := n.workers()
	if out, err := n.command("-s", "reload").CombinedOutput(); err != nil {
		n.t.Fatalf("nginx -s reload: %v\n%s", err, out)
	}
	eventually(n.t, "nginx has new workers", func() bool {
		for _, pid := range n.workers() {
			if !slices.Contains(former, pid) {
				return true
			}
		}
		return false
	})
	return former
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// The way through nginx, as docs/DEPLOYMENT.md says it: people play by HTTPS, what they
// play runs on a node that came in the same way, nginx is reloaded and the server
// restarted under them, and no step is lost.
func TestPeopleAndNodesComeThroughNginxAsTheDocsSay(t *testing.T) {
	t.Parallel()
	nginxProgram(t)
	front := freeAddress(t)
	public := "https://localhost:" + front[strings.LastIndexByte(front, ':')+1:]
	long := wayStudy("long", "max_steps: 400", "reconnect_grace: 30s")
	s := prepare(t, "", []study{long, wayStudy("short")}, "--slots", "0", "--public-url", public, "--trusted-proxies", "127.0.0.1")
	a := newAuthority(t)
	s.addr, s.trust = freeAddress(t), a.trust()
	s.start()
	web := startNginx(t, front, s.addr, a.certificate(time.Hour, "localhost"))
	key := s.runnerKey()
	n := s.nodeBy(public, key, a)
	n.start()
	n.says(0, "msg=joined")

	large := wayStudy("large").yaml() + strings.Repeat("# nginx takes 1 MB where it is not told more\n", 40_000)
	if page := s.administrator().upload(map[string]string{"large.yaml": large}); page.Status == http.StatusRequestEntityTooLarge {
		t.Errorf("an upload of %d bytes is answered %d:\n%s", len(large), page.Status, words(page.Body))
	}
	ada := s.register("ada") // by HTTPS: with the cookies and the origin of the public address
	pl := ada.play(ada.join("long"))
	pl.pressOn(t.Context())
	pl.frames(30)
	former := web.reload()
	before := pl.frames(60)
	if before.closed {
		t.Errorf("the player was cut by a reload: %d %q", before.code, before.closeText)
	}

	// The operator's nginx has worker_shutdown_timeout, or somebody loses patience.
	mark := n.log.mark()
	for _, pid := range former {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatalf("the former worker has gone, and the player had its connection: %v", err)
		}
	}
	pl.closedWith(websocket.CloseAbnormalClosure)
	n.says(mark, "not connected; trying again")
	n.says(mark, "msg=joined", "again=true")
	pl = ada.play(pl.at)
	pl.pressOn(t.Context())
	if v := pl.frames(30); v.frame.GetStep() <= before.frame.GetStep() {
		t.Errorf("play went on at step %d, and was at %d before nginx cut it", v.frame.GetStep(), before.frame.GetStep())
	}

	// The server is restarted meanwhile: nginx answers with 502, and the node tries again.
	mark = n.log.mark()
	s.kill()
	n.says(mark, "trying again", "502 Bad Gateway")
	s.start()
	n.says(mark, "msg=joined", "again=false")
	pl.closed()
	pl = ada.play(pl.at)
	if v := pl.closedWith(1000); v.end.GetCode() != "completed" || v.frame.GetStep() != 400 {
		t.Errorf("she saw step %d last, and the end %v; want completed at step 400", v.frame.GetStep(), v.end)
	}
	n.stop(syscall.SIGTERM)

	n = s.nodeBy(public+"/lab", key, a, "--name", "below")
	n.start()
	n.says(0, "msg=joined")
	ada.playOnce("short")
	n.stop(syscall.SIGTERM)
	s.verify("long")
	s.kill()
	store := s.store()
	playedFar(t, store, "long", 1, "far", 400)
	playedFar(t, store, "short", 1, "below", 60)
}
