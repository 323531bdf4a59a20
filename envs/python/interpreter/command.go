package interpreter

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	maxLine   = 4096            // bytes of a line of output that are kept
	maxOutput = 1 << 20         // bytes of an answer that are read
	killGrace = 5 * time.Second // for pipes that a killed program's children hold
)

// command makes a program that ends with its context, and with all its children.
func command(ctx context.Context, env []string, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir = env, dir
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return nil
		}
		return err
	}
	cmd.WaitDelay = killGrace
	return cmd
}

// answer runs a program for what it prints; what it prints on standard error is part
// of the error.
func answer(ctx context.Context, env []string, dir, name string, args ...string) ([]byte, error) {
	cmd := command(ctx, env, dir, name, args...)
	var stdout, stderr capped
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := onOwnThread(cmd.Run)
	if err == nil {
		return stdout.Bytes(), nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("it did not answer in time: %w", ctx.Err())
	}
	if said := lastLine(stderr.Bytes()); said != "" {
		err = fmt.Errorf("%w: %s", err, said)
	}
	return stdout.Bytes(), err
}

// capped keeps the first maxOutput bytes that are written.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if room := maxOutput - c.Len(); room > 0 {
		c.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// stream runs a program and hands on every line that it prints, on either output.
func stream(ctx context.Context, env []string, dir string, line func(string), name string, args ...string) error {
	cmd := command(ctx, env, dir, name, args...)
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	read := make(chan struct{})
	go func() {
		defer close(read)
		eachLine(r, line)
	}()
	err := onOwnThread(cmd.Run)
	_ = w.Close() // a pipe in memory
	<-read
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// eachLine reads to the end; lines that are too long are cut.
func eachLine(r io.Reader, line func(string)) {
	reader := bufio.NewReaderSize(r, maxLine)
	for {
		part, more, err := reader.ReadLine()
		if err != nil {
			return
		}
		text := string(part)
		for more && err == nil {
			_, more, err = reader.ReadLine()
		}
		if i := strings.LastIndexByte(text, '\r'); i >= 0 {
			text = text[i+1:] // a bar that was drawn again and again
		}
		line(strings.ToValidUTF8(text, "�"))
	}
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	last := strings.ToValidUTF8(lines[len(lines)-1], "�")
	return last[:min(len(last), 500)]
}

// shell is a command line that can be pasted into a shell.
func shell(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.ContainsFunc(w, func(c rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+%@", c)
		}) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
