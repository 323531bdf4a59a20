package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"sharpie/actors"
	"sharpie/actors/link"
)

// runnerCommand makes this machine a runner node.
type runnerCommand struct {
	Join       string        `help:"Address of the server, as browsers find it: https://lab.example." required:"" placeholder:"URL" env:"SHARPIE_RUNNER_JOIN"`
	Key        string        `help:"The key, from: sharpie runner-key add NAME. Others on this machine can see it here; --key-file hides it." placeholder:"KEY" env:"SHARPIE_RUNNER_KEY"`
	KeyFile    string        `help:"File whose first line is the key." type:"path" placeholder:"FILE" env:"SHARPIE_RUNNER_KEY_FILE"`
	Slots      int           `help:"Episodes that run at a time, 1 to 1024." default:"4" env:"SHARPIE_RUNNER_SLOTS"`
	Label      []string      `help:"What this machine offers to experiments that ask for it (gpu, robot)." placeholder:"LABEL" env:"SHARPIE_RUNNER_LABEL,SHARPIE_RUNNER_LABELS"`
	Name       string        `help:"Name of this node, unique among those of its key; without it, that of the machine." placeholder:"NAME" env:"SHARPIE_RUNNER_NAME"`
	CA         string        `name:"ca" help:"File with the certificates (PEM) of further authorities, where the server's is signed by your own." type:"path" placeholder:"FILE" env:"SHARPIE_RUNNER_CA"`
	Data       string        `help:"Folder of this node, for Pythons that are built and files of experiments; one node has it at a time." type:"path" default:"runner-data" placeholder:"runner-data" env:"SHARPIE_RUNNER_DATA"`
	CacheSize  byteSize      `help:"What the files of experiments may take on the disk, unpacked: 64MiB to 16TiB." default:"4GiB" placeholder:"SIZE" env:"SHARPIE_RUNNER_CACHE_SIZE"`
	DrainGrace time.Duration `help:"How long running episodes may go on after a request to stop, 0s to 24h." default:"60s" env:"SHARPIE_RUNNER_DRAIN_GRACE"`
}

// Help is the longer text of `sharpie runner --help`.
func (*runnerCommand) Help() string {
	return `The node opens one connection to the server and needs no open port itself. It comes
back after every loss of the connection. Ctrl-C stops: free slots leave at once, running
episodes get the grace. A proxy is taken from HTTPS_PROXY and NO_PROXY.

Python is built and files are fetched ahead, before the node takes its first episode;
the log says how far that is. --python and --confine mean what they mean for serve.

It ends with 0 when it was asked to, 2 for wrong settings, 3 where the server refuses it
for good (the key, another process of its name, another version), and 1 otherwise.

  sharpie runner --join https://lab.example --key-file runner.key
  sharpie runner --join https://lab.example/sharpie --key shk_… --slots 8 --label gpu
  SHARPIE_RUNNER_KEY=shk_… sharpie runner --join http://localhost:8080`
}

// refusedForGood is the exit code of a node that need not be started again.
const refusedForGood exitCode = 3

// Validate refuses what cannot work, all of it at once.
func (c *runnerCommand) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if p := link.CheckAddress(c.Join); p != "" {
		bad("--join: %s", p)
	}
	switch {
	case c.Key == "" && c.KeyFile == "":
		bad("a key is needed: --key-file FILE, SHARPIE_RUNNER_KEY or --key KEY")
	case c.Key != "" && c.KeyFile != "":
		bad("--key and --key-file exclude each other (SHARPIE_RUNNER_KEY is --key)")
	case c.Key != "":
		if p := link.CheckKey(strings.TrimSpace(c.Key)); p != "" {
			bad("--key: %s", p)
		}
	}
	if c.Slots < 1 || c.Slots > 1024 {
		bad("--slots %d: allowed is 1 to 1024", c.Slots)
	}
	if c.DrainGrace < 0 || c.DrainGrace > 24*time.Hour {
		bad("--drain-grace %s: allowed is 0s to 24h", c.DrainGrace)
	}
	if c.CacheSize < 64<<20 || c.CacheSize > 16<<40 {
		bad("--cache-size %s: allowed is 64MiB to 16TiB", c.CacheSize)
	}
	if p := link.CheckLabels(c.Label); p != "" {
		bad("--label: %s", p)
	}
	if c.Name != "" {
		if p := link.CheckName(c.Name); p != "" {
			bad("--name: %s", p)
		}
	}
	if info, err := os.Stat(c.Data); err == nil && !info.IsDir() {
		bad("--data %s is a file: want a folder", c.Data)
	}
	return errors.Join(errs...)
}

// Run joins, and works until a signal.
func (c *runnerCommand) Run(a *app) error {
	key, err := c.key(a)
	if err != nil {
		return err
	}
	roots, err := c.roots()
	if err != nil {
		return err
	}
	n, err := c.prepare(a, key, roots)
	if err != nil {
		return err
	}
	defer n.close(a)
	err = actors.RunNode(a.ctx, actors.NodeConfig{
		Join: link.JoinConfig{
			URL: c.Join, Key: key, Name: c.name(), Slots: c.Slots, Labels: c.Label, Version: a.version,
			Roots: roots, Ready: n.preparer.Ready(), Renewed: n.preparer.Renewed(), DrainGrace: c.DrainGrace, Logger: a.log,
		},
		Maker: n.maker, Readiness: n.preparer.Readiness,
	})
	if end := (*link.End)(nil); errors.As(err, &end) && end.Final() {
		fmt.Fprintln(a.stderr, "sharpie:", err)
		return refusedForGood
	}
	return err
}

// key is the key, of the command line or of its file.
func (c *runnerCommand) key(a *app) (string, error) {
	if c.KeyFile == "" {
		return strings.TrimSpace(c.Key), nil
	}
	b, err := os.ReadFile(c.KeyFile)
	if err != nil {
		return "", fmt.Errorf("--key-file: %w", err)
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(string(b), "\ufeff"), "\n") // some editors begin with a mark
	if line = strings.TrimSpace(line); line == "" {
		return "", fmt.Errorf("--key-file: the first line of %s is empty: want the key, shk_…", c.KeyFile)
	}
	if p := link.CheckKey(line); p != "" {
		return "", fmt.Errorf("--key-file: the first line of %s: %s", c.KeyFile, p)
	}
	if info, err := os.Stat(c.KeyFile); err == nil && info.Mode().Perm()&0o004 != 0 {
		a.log.Warn("everybody on this machine can read the key; try: chmod 600 "+c.KeyFile, "mode", info.Mode().Perm())
	}
	return line, nil
}

// roots are the authorities of the system and those of --ca.
func (c *runnerCommand) roots() (*x509.CertPool, error) {
	if c.CA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca: there is no certificate in %s; want PEM, which begins with -----BEGIN CERTIFICATE-----", c.CA)
	}
	return pool, nil
}

var notInName = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)

// name is the node's name, made of the machine's where none is given.
func (c *runnerCommand) name() string {
	if c.Name != "" {
		return c.Name
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	name := strings.TrimLeft(notInName.ReplaceAllString(host, "-"), "._-")
	if len(name) > 63 {
		name = name[:63]
	}
	if link.CheckName(name) != "" {
		return "runner"
	}
	return name
}
