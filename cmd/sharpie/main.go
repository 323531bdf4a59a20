// Command sharpie is the whole platform in one program: the server that people
// play on, and the commands that researchers and analysts use beside it.
//
// This package owns what is asked for on the command line and fills the
// dependencies of every other package; it holds no logic of its own beyond that,
// and nothing imports it. One file per command.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// version is set by the build: git describe.
var version = "unversioned"

func main() {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals // the first asks for a clean end,
		stop()
		<-signals // the second ends at once, also where a script's default is to ignore it
		os.Exit(130)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is what every command may use; it is bound to kong and given to Run.
type app struct {
	ctx     context.Context
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	log     *slog.Logger
	now     func() time.Time
	version string
	python  pythonFlags
}

// exitCode is an error that was already explained on the terminal.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// run parses the arguments, runs the command and returns the exit code: 0 done,
// 1 failed, 2 asked for wrongly.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	var line cli
	exited := -1
	parser, err := newParser(&line, stdout, stderr, func(c int) { exited = c; panic(exitCode(c)) })
	if err != nil {
		fmt.Fprintln(stderr, "sharpie:", err)
		return 1
	}
	defer func() { // --help ends by Exit, in the middle of parsing
		if r := recover(); r != nil {
			if c, ok := r.(exitCode); !ok || exited != int(c) {
				panic(r)
			}
			code = exited
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(stderr, "sharpie:", err)
		fmt.Fprintln(stderr, helpHint(err))
		return 2
	}
	a := &app{
		ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr,
		log: line.logger(stderr), now: time.Now, version: version, python: line.pythonFlags,
	}
	if err := parsed.Run(a); err != nil {
		var c exitCode
		if errors.As(err, &c) {
			return int(c)
		}
		fmt.Fprintln(stderr, "sharpie:", err)
		return 1
	}
	return 0
}

// helpHint points at the help of the command that was asked for wrongly.
func helpHint(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			return "Try: sharpie " + node.Path() + " --help"
		}
	}
	return "Try: sharpie --help"
}
