//go:build !linux

package interpreter

import "syscall"

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func onOwnThread(f func() error) error { return f() }
