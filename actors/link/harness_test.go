package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/fasthttp/websocket"

	"sharpie/actors/runner"
	agentsbuiltin "sharpie/agents/builtin"
	envsbuiltin "sharpie/envs/builtin"
	"sharpie/experiments"
	"sharpie/persistence"
)

// nodeVariable makes this test's program a runner node: two actor systems with
// remote never share a process.
const nodeVariable = "SHARPIE_TEST_NODE"

func TestMain(m *testing.M) {
	if text := os.Getenv(nodeVariable); text != "" {
		os.Exit(nodeMain(text))
	}
	os.Exit(m.Run())
}

// nodeMain joins as a command line would, and ends as one does on SIGTERM.
func nodeMain(text string) int {
	var cfg JoinConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	maker := experiments.Registries{Environments: envsbuiltin.Registry(), Agents: agentsbuiltin.Registry()}
	cfg.Runner = func(s Seat) *actor.Props {
		return runner.Props(runner.Config{Queue: s.Queue, RunnerID: s.Node, Incarnation: s.Incarnation, Slot: s.Slot, Labels: s.Labels,
			CodeVersion: cfg.Version, Maker: maker, Logger: cfg.Logger})
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := Join(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "sharpie:", err)
		return 1
	}
	return 0
}

// process is a runner node.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  *lockedBuffer
	done chan struct{}
	err  error
}

func startNode(t *testing.T, cfg JoinConfig) *process {
	t.Helper()
	if cfg.Slots == 0 {
		cfg.Slots = 1
	}
	if cfg.Version == "" {
		cfg.Version = "test"
	}
	if cfg.DrainGrace == 0 {
		cfg.DrainGrace = 5 * time.Second
	}
	text, err := json.Marshal(map[string]any{"URL": cfg.URL, "Key": cfg.Key, "Name": cfg.Name, "Slots": cfg.Slots, "Labels": cfg.Labels,
		"Version": cfg.Version, "DrainGrace": cfg.DrainGrace})
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(os.Args[0]), log: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), nodeVariable+"="+string(text), "NO_PROXY=*")
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.done
		if t.Failed() {
			t.Logf("the node %s said:\n%s", cfg.Name, p.log.String())
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// ended waits for the end of the process.
func (p *process) ended(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		p.t.Fatalf("the node did not end within %s; it said:\n%s", within, p.log.String())
		return -1
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// memoryKeys are keys that are kept nowhere.
type memoryKeys struct {
	mu   sync.Mutex
	keys []persistence.RunnerKey
}

func (k *memoryKeys) RunnerKeys(context.Context) ([]*persistence.RunnerKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []*persistence.RunnerKey
	for _, key := range k.keys {
		out = append(out, &key)
	}
	return out, nil
}

func (k *memoryKeys) TouchRunnerKey(_ context.Context, id, node string, at time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.keys {
		if k.keys[i].ID == id {
			k.keys[i].LastNode, k.keys[i].LastUsedAt = node, &at
		}
	}
	return nil
}

func (k *memoryKeys) add(id string, labels ...string) string {
	key, prefix, hash := NewKey()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = append(k.keys, persistence.RunnerKey{ID: id, Prefix: prefix, Hash: hash, Labels: labels})
	return key
}

func (k *memoryKeys) revoke(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	for i := range k.keys {
		if k.keys[i].ID == id {
			k.keys[i].RevokedAt = &now
		}
	}
}

// platform is the server's side of a test: the end of all tunnels behind a web
// server, and a probe in the Queue's place.
type platform struct {
	t      *testing.T
	web    *httptest.Server
	server *Server
	system *actor.ActorSystem
	keys   *memoryKeys
	queue  *probe
	events chan Event
}

// shared is one actor system for all tests: remote sets a global of gRPC when it
// starts, and must not do so while another is at work.
var shared = sync.OnceValues(func() (*platform, error) {
	p := &platform{system: quietSystem(), keys: &memoryKeys{}, events: make(chan Event, 1024)}
	var err error
	p.server, err = NewServer(ServerConfig{
		System: p.system, Queue: "queue", Keys: p.keys, Version: "test", Notify: func(e Event) { p.events <- e },
		Limits: Limits{Grace: 4 * time.Second, Penalty: 200 * time.Millisecond, KeyCheck: 100 * time.Millisecond, MessagesPerSecond: 2000, BytesPerSecond: 2 << 20},
		Logger: slog.New(slog.NewTextHandler(testLog{}, nil)),
	})
	if err != nil {
		return nil, err
	}
	p.queue, err = newProbe(p.system, "queue")
	p.web = httptest.NewServer(http.HandlerFunc(p.connect))
	return p, err
})

// testLog is where the shared server writes.
type testLog struct{}

func (testLog) Write(b []byte) (int, error) {
	if testing.Verbose() {
		return os.Stderr.Write(b)
	}
	return len(b), nil
}

func quietSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(Quiet(slog.NewTextHandler(testLog{}, nil)))
	}), actor.WithDeadLetterRequestLogging(false))
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for drained := false; !drained; { // of what former tests left
		select {
		case <-p.events:
		case <-p.queue.got:
		default:
			drained = true
		}
	}
	out := *p
	out.t = t
	return &out
}

// connect is what package http does.
func (p *platform) connect(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/lab"+Path {
		http.NotFound(w, r)
		return
	}
	id, err := p.server.Authenticate(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		status := http.StatusUnauthorized
		if errors.Is(err, ErrRevoked) {
			status = http.StatusForbidden
		}
		w.Header().Set(CodeHeader, "key")
		w.WriteHeader(status)
		fmt.Fprint(w, Sentence(err))
		return
	}
	u := websocket.Upgrader{Subprotocols: []string{Subprotocol}}
	c, err := u.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	_ = p.server.Serve(context.Background(), c, id)
}

func (p *platform) url() string { return p.web.URL + "/lab/" }

// wait returns the next change of a node.
func (p *platform) wait(node string, change Change, within time.Duration) Event {
	p.t.Helper()
	deadline := time.After(within)
	for {
		select {
		case e := <-p.events:
			if strings.HasPrefix(e.Node.ID, node+".") && e.Change == change {
				return e
			}
		case <-deadline:
			p.t.Fatalf("node %s is not %q after %s", node, change, within)
		}
	}
}

// probe is an actor that hands over what it gets.
type probe struct {
	pid  *actor.PID
	got  chan received
	root *actor.RootContext
}

type received struct {
	message any
	sender  *actor.PID
}

func newProbe(as *actor.ActorSystem, name string) (*probe, error) {
	p := &probe{got: make(chan received, 100_000), root: as.Root}
	var err error
	p.pid, err = as.Root.SpawnNamed(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *actor.Started, *actor.Stopping, *actor.Stopped:
		case *watchIt:
			c.Watch(m.pid)
		default:
			p.got <- received{m, c.Sender()}
		}
	}), name)
	return p, err
}

type watchIt struct{ pid *actor.PID }

// send sends in the probe's name.
func (p *probe) send(to *actor.PID, m any) { p.root.RequestWithCustomSender(to, m, p.pid) }

// next returns the next message of a type.
func next[M any](t *testing.T, p *probe, within time.Duration) (M, *actor.PID) {
	t.Helper()
	deadline := time.After(within)
	for {
		select {
		case r := <-p.got:
			if m, ok := r.message.(M); ok {
				return m, r.sender
			}
		case <-deadline:
			var zero M
			t.Fatalf("no %T after %s", zero, within)
			return zero, nil
		}
	}
}

var _ io.Writer = (*lockedBuffer)(nil)

// definition is a game that goes on by itself.
func definition(t *testing.T) []byte {
	t.Helper()
	d, err := experiments.Parse("test.yaml", []byte(`
environment: {name: Car, source: "go:MountainCar-v0", kwargs: {max_episode_steps: 2000}}
agents:
  - {role: agent_0, name: Driver, participant: true, inputs_type: actions, keyboard_inputs: {ArrowLeft: 0, ArrowRight: 2, default: 1}}
experiment: {link: car, name: Car, number_of_episodes: 1, target_fps: 60, wait_for_inputs: false}
`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
