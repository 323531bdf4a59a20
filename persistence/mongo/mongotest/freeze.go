package mongotest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Freeze stops the server where it is: its connections stay open, and nothing is
// answered. Thaw, Kill and Stop end it.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

func (s *Server) pidFile() string { return filepath.Join(s.dir, "mongod.pid") }

func (s *Server) signal(sig syscall.Signal) error {
	text, err := os.ReadFile(s.pidFile())
	if err != nil {
		return fmt.Errorf("signal mongod: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("signal mongod: %s: %w", s.pidFile(), err)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("signal mongod %d: %w", pid, err)
	}
	return nil
}
