//go:build !linux

package python

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Elsewhere than on Linux there is no list of processes to look at: memory and the
// number of processes are not limited, and a child that left its group is not found.

// proc is a process.
type proc struct {
	pid, parent, session int
	memory               int64
}

func processes() []proc               { return nil }
func family(all []proc, _ int) []proc { return all }
func again(known []proc) []proc       { return known }
func newestProcess() string           { return "" }
func marked([]proc, string) []int     { return nil }
func innerPID(pid int) int            { return pid }
func ownMemory([]proc) int64          { return 0 }
func oomKills() int64                 { return 0 }
func startOf(int) uint64              { return 0 }

// starter starts processes. A worker whose channel ends, ends.
type starter struct{}

func newStarter() *starter { return &starter{} }

func (s *starter) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

func (s *starter) close() {}

// awaitExit returns once a process has ended.
func awaitExit(cmd *exec.Cmd) { _ = cmd.Wait() }

// channelPair is a socket pair: ours, and the worker's.
func channelPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 2<<20)
	}
	return os.NewFile(uintptr(fds[0]), "channel"), os.NewFile(uintptr(fds[1]), "channel of the worker"), nil
}
