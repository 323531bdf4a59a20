package interpreter

import (
	"runtime"
	"syscall"
)

// ownGroup puts a program into a process group of its own, which ends with us even
// where we are killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// onOwnThread runs f on a thread that lives as long as f: the kernel takes the end of
// the thread that started a program for the end of its parent.
func onOwnThread(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return f()
}
