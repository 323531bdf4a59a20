package embedded_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sharpie/persistence"
	"sharpie/persistence/embedded"
)

// crashEnv names the file that a child process of this test writes to.
const crashEnv = "SHARPIE_CRASH_TEST_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled has four writers store steps, and prints each chunk once its
// write is acknowledged.
func writeUntilKilled(path string) error {
	s, err := embedded.Open(context.Background(), path)
	if err != nil {
		return err
	}
	errs := make(chan error)
	var out sync.Mutex
	for w := range 4 {
		go func() {
			episode := persistence.EpisodeID(persistence.NewID(fmt.Sprintf("w%d", w)))
			for first := int64(0); ; first += 2 {
				if err := s.InsertStepChunks(context.Background(), []*persistence.StepChunk{tinyChunk(episode, first)}); err != nil {
					errs <- err
					return
				}
				out.Lock()
				fmt.Printf("%s %d\n", episode, first)
				out.Unlock()
			}
		}()
	}
	return <-errs
}

// tinyChunk is two steps whose content follows from their number.
func tinyChunk(episode persistence.EpisodeID, first int64) *persistence.StepChunk {
	return &persistence.StepChunk{
		ID: persistence.ChunkID(episode, first), EpisodeID: episode, SessionID: "s", First: first, Count: 2,
		ReceivedAt: time.UnixMicro(first), Offsets: []int64{first, first + 1}, Lateness: []int64{0, 0},
		Hashes: binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(first)), uint64(first+1)),
	}
}

func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sharpie.db")
	acknowledged := map[persistence.EpisodeID]int64{} // the last first step
	for range 5 {
		killWriter(t, path, acknowledged)
		verify(t, path, acknowledged)
	}
}

// killWriter lets a child write for a while, kills it, and notes what it said.
func killWriter(t *testing.T, path string, acknowledged map[persistence.EpisodeID]int64) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	n := 0
	for lines.Scan() {
		var episode string
		var first int64
		if _, err := fmt.Sscanf(lines.Text(), "%s %d", &episode, &first); err != nil {
			continue // the last line may be torn by the kill
		}
		acknowledged[persistence.EpisodeID(episode)] = first
		if n++; n == 200 { // SIGKILL, in the middle of its writes
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || n < 200 {
		t.Fatalf("the writer ended by itself after %d writes: %v", n, err)
	}
}

func verify(t *testing.T, path string, acknowledged map[persistence.EpisodeID]int64) {
	t.Helper()
	s, err := embedded.Open(t.Context(), path)
	if err != nil {
		t.Fatalf("the file does not open after the kill: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for episode, last := range acknowledged {
		next := int64(0)
		for c, err := range s.StepChunks(t.Context(), episode) {
			if err != nil {
				t.Fatal(err)
			}
			if c.First != next || c.Offsets[1] != next+1 {
				t.Fatalf("episode %s: a chunk begins at step %d, want %d", episode, c.First, next)
			}
			next += 2
		}
		if next <= last {
			t.Errorf("episode %s: step %d was acknowledged, and the file ends before %d", episode, last, next)
		}
	}
}
