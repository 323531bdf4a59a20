package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sharpie/experiments/making"
	"sharpie/persistence"
)

// Bounds of the control socket.
const (
	controlTasks    = 4       // at a time
	controlRequests = 1 << 20 // bytes of one request
	controlDial     = 2 * time.Second
	controlLine     = 32 << 10 // bytes of output per message
)

// controlRequest is the one message of a command to the server.
type controlRequest struct {
	Task string          `json:"task"`
	Args json.RawMessage `json:"args"`
}

// controlReply is one of the server's messages: output, or the end.
type controlReply struct {
	Out   []byte `json:"out,omitempty"`
	Done  bool   `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
	Code  int    `json:"code,omitempty"`
}

// controlPath is the server's socket, beside the embedded store that it holds.
// Whoever may open it may open the store's file as well: it gives no new right.
func controlPath(data string) string { return filepath.Join(data, "control.sock") }

// control does tasks for commands of other processes.
type control struct {
	listener net.Listener
	store    persistence.Store
	maker    *making.Maker
	log      *slog.Logger
	now      func() time.Time
	version  string

	slots   chan struct{}
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// startControl listens on the socket; the one who holds the store's lock may
// remove what a former server left there.
func startControl(a *app, path string, store persistence.Store, maker *making.Maker) (*control, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the old control socket: %w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for commands: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("protect the control socket: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &control{
		listener: listener, store: store, maker: maker, log: a.log, now: a.now, version: a.version,
		slots: make(chan struct{}, controlTasks), ctx: ctx, cancel: cancel,
	}
	c.running.Go(c.accept)
	return c, nil
}

// close takes no more tasks, cancels the running ones and waits for them.
func (c *control) close() {
	c.cancel()
	_ = c.listener.Close()
	c.running.Wait()
}

func (c *control) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return // closed
		}
		select {
		case c.slots <- struct{}{}:
			c.running.Go(func() {
				defer func() { <-c.slots }()
				c.serve(conn)
			})
		case <-c.ctx.Done():
			_ = conn.Close()
		}
	}
}

// serve does one task. It ends early when the command goes away.
func (c *control) serve(conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	replies := json.NewEncoder(conn)

	_ = conn.SetReadDeadline(time.Now().Add(controlDial))
	var request controlRequest
	decoder := json.NewDecoder(io.LimitReader(conn, controlRequests))
	if err := decoder.Decode(&request); err != nil {
		_ = replies.Encode(controlReply{Done: true, Error: fmt.Sprintf("not understood: %v", err)})
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	go func() { // the command says nothing more: a read ends when it is gone
		_, _ = io.Copy(io.Discard, conn)
		cancel()
	}()

	t := newTask(request.Task)
	if t == nil {
		_ = replies.Encode(controlReply{Done: true, Error: fmt.Sprintf("the running server (%s) does not know %q", c.version, request.Task)})
		return
	}
	if err := json.Unmarshal(request.Args, t); err != nil {
		_ = replies.Encode(controlReply{Done: true, Error: fmt.Sprintf("%s: not understood: %v", request.Task, err)})
		return
	}
	c.log.Info("command", "task", request.Task)
	out := bufio.NewWriterSize(controlWriter{replies}, controlLine)
	err := t.do(ctx, taskEnv{store: c.store, maker: c.maker, out: out, now: c.now, version: c.version})
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	last := controlReply{Done: true}
	var code exitCode
	if errors.As(err, &code) {
		last.Code = int(code)
	} else if err != nil {
		last.Error = err.Error()
	}
	_ = replies.Encode(last)
}

// controlWriter sends output as messages.
type controlWriter struct{ replies *json.Encoder }

func (w controlWriter) Write(p []byte) (int, error) {
	if err := w.replies.Encode(controlReply{Out: p}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// askServer has the running server do a task, and prints what it says.
func askServer(a *app, path string, request controlRequest) error {
	dialer := net.Dialer{Timeout: controlDial}
	conn, err := dialer.DialContext(a.ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("the embedded store is in use by another process that takes no commands; stop it first (%w)", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(a.ctx, func() { _ = conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return fmt.Errorf("ask the running server: %w", err)
	}
	replies := json.NewDecoder(conn)
	for {
		var reply controlReply
		if err := replies.Decode(&reply); err != nil {
			if a.ctx.Err() != nil {
				return a.ctx.Err()
			}
			return fmt.Errorf("the running server ended before it had answered: %w", err)
		}
		if _, err := a.stdout.Write(reply.Out); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		switch {
		case !reply.Done:
		case reply.Code != 0:
			return exitCode(reply.Code)
		case reply.Error != "":
			return errors.New(reply.Error)
		default:
			return nil
		}
	}
}
