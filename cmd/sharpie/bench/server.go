package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"sharpie/cmd/sharpie/internal/client"
	"sharpie/persistence"
	"sharpie/persistence/embedded"
	"sharpie/persistence/mongo"
)

// server is the SHARPIE under test: a child of this process, with a store of its own.
type server struct {
	*child
	addr    string // 127.0.0.1:PORT
	base    string // http://127.0.0.1:PORT
	data    string // folder; removed at the end
	mongo   string // URI; empty: embedded
	key     string
	nodeKey string // of runner nodes; empty: none join
}

// serverConfig is how a server is started.
type serverConfig struct {
	runs  []Run
	slots int // episodes that it runs itself
	mongo string
	nodes bool // runner nodes may join
}

// startServer imports the runs' experiments into a new store and starts sharpie
// serve on it.
func startServer(ctx context.Context, c serverConfig) (*server, error) {
	data, err := os.MkdirTemp("", "sharpie-bench-")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	s := &server{data: data, mongo: c.mongo, key: "benchmark-key-" + strconv.Itoa(os.Getpid())}
	err = s.importRuns(ctx, c.runs)
	if err == nil {
		err = s.start(ctx, c.slots)
	}
	if err == nil && c.nodes {
		err = s.makeNodeKey(ctx)
	}
	if err != nil {
		if s.child != nil {
			_ = s.stop(10 * time.Second) // the first error counts
		}
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *server) storeFlags() []string {
	flags := []string{"--data", s.data}
	if s.mongo != "" {
		flags = append(flags, "--mongo", s.mongo)
	}
	return flags
}

func (s *server) importRuns(ctx context.Context, runs []Run) error {
	if len(runs) == 0 {
		return nil
	}
	args := append([]string{"import"}, s.storeFlags()...)
	for i, r := range runs {
		file := filepath.Join(s.data, link(i)+".yaml")
		if err := os.WriteFile(file, experimentYAML(i, r), 0o600); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		args = append(args, file)
	}
	_, err := s.command(ctx, args...)
	return err
}

// nodeKeyLine is where `sharpie runner-key add` prints the key.
var nodeKeyLine = regexp.MustCompile(`--key (shk_\S+)`)

// makeNodeKey makes the key with which runner nodes join.
func (s *server) makeNodeKey(ctx context.Context) error {
	said, err := s.command(ctx, append([]string{"runner-key", "add", "benchmark"}, s.storeFlags()...)...)
	if err != nil {
		return err
	}
	m := nodeKeyLine.FindStringSubmatch(said)
	if m == nil {
		return fmt.Errorf("bench: runner-key add printed no key: %s", said)
	}
	s.nodeKey = m[1]
	return nil
}

// command runs another command of the program, before the server does, and returns
// what it said last.
func (s *server) command(ctx context.Context, args ...string) (string, error) {
	c, err := startChild(ctx, func(string) {}, nil, args...)
	if err != nil {
		return "", err
	}
	select {
	case <-c.done:
	case <-time.After(60 * time.Second):
		_ = c.cmd.Process.Kill()
		return "", fmt.Errorf("bench: sharpie %s took over a minute: %s", args[0], c.lastLines())
	}
	if c.err != nil {
		return "", fmt.Errorf("bench: sharpie %s: %w\n%s", args[0], c.err, c.lastLines())
	}
	return c.lastLines(), nil
}

func (s *server) start(ctx context.Context, slots int) error {
	var err error
	if s.addr, err = freeAddress(); err != nil {
		return err
	}
	s.base = "http://" + s.addr
	args := append([]string{"serve", "--addr", s.addr, "--slots", strconv.Itoa(slots), "--labels", placeLocal, "--registration-key", s.key,
		"--no-demos", "--login-rate", "0", "--inputs-per-second", "1000000", "--drain-grace", "2s", "--log-level", "warn"}, s.storeFlags()...)
	if s.child, err = startChild(ctx, func(string) {}, nil, args...); err != nil {
		return err
	}
	return s.waitReady(ctx)
}

// freeAddress asks the system for a port that nobody uses now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (s *server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		if res, err := client.Transport.RoundTrip(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("bench: the server was not ready in 30 s: %s", s.lastLines())
		case <-s.done:
			return fmt.Errorf("bench: the server ended: %s", s.lastLines())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// finish stops the server and says how many step records its store holds of
// each run, and how many the episodes counted.
func (s *server) finish(ctx context.Context, runs int) ([]Stored, error) {
	defer s.remove()
	stopErr := s.stop(60 * time.Second)
	store, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	out := make([]Stored, runs)
	for i := range out {
		for e, err := range store.EpisodesOfExperiment(ctx, link(i)) {
			if err != nil {
				return nil, fmt.Errorf("bench: read the stored episodes: %w", err)
			}
			out[i].Episodes++
			out[i].Expected += e.Steps + 1
			for c, err := range store.StepChunks(ctx, e.ID) {
				if err != nil {
					return nil, fmt.Errorf("bench: read the stored steps: %w", err)
				}
				out[i].Records += int64(c.Count)
			}
		}
	}
	return out, stopErr
}

func (s *server) open(ctx context.Context) (persistence.Store, error) {
	if s.mongo != "" {
		return mongo.Open(ctx, s.mongo)
	}
	return embedded.Open(ctx, filepath.Join(s.data, "sharpie.db"))
}

func (s *server) remove() { _ = os.RemoveAll(s.data) }
