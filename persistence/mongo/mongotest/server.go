// Package mongotest starts a MongoDB server for tests and benchmarks: a mongod of
// one's own as a single-node replica set, in its own folder, on its own port. It
// refuses to be used for data that anybody wants to keep.
package mongotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Server is a mongod that runs.
type Server struct {
	port   int
	dir    string
	binary string
	cmd    *exec.Cmd
	stdin  interface{ Close() error }
	log    *bytes.Buffer
}

// supervise runs its arguments until its standard input ends, which it does when
// the process that holds the other end closes it or dies.
const supervise = `"$@" & p=$!; cat >/dev/null; kill -9 $p; wait $p`

// Start runs the mongod at path with its data in a new folder under dir ("" is the
// system's), and returns when it takes writes.
func Start(ctx context.Context, path, dir string) (*Server, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("start mongod: %w", err)
	}
	data, err := os.MkdirTemp(dir, "sharpie-mongod-")
	if err != nil {
		return nil, fmt.Errorf("start mongod: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start mongod: %w", err), os.RemoveAll(data))
	}
	s := &Server{port: port, dir: data, binary: path}
	if err := s.run(); err != nil {
		return nil, errors.Join(fmt.Errorf("start mongod: %w", err), os.RemoveAll(data))
	}
	if err := s.initiate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start mongod: %w\n%s", err, s.log.Bytes()), s.Stop())
	}
	return s, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func (s *Server) run() error {
	s.log = &bytes.Buffer{}
	s.cmd = exec.Command("sh", "-c", supervise, "sh", s.binary,
		"--port", strconv.Itoa(s.port), "--bind_ip", "127.0.0.1", "--nounixsocket", "--dbpath", s.dir,
		"--replSet", "rs0", "--oplogSize", "128", "--wiredTigerCacheSizeGB", "0.25",
		"--setParameter", "diagnosticDataCollectionEnabled=false",
		"--logpath", filepath.Join(s.dir, "mongod.log"), "--logappend", "--pidfilepath", s.pidFile())
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	s.stdin = in
	return s.cmd.Start()
}

// initiate makes the node the primary of its own replica set.
func (s *Server) initiate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	host := fmt.Sprintf("127.0.0.1:%d", s.port)
	direct, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + host + "/?directConnection=true"))
	if err != nil {
		return err
	}
	defer func() { _ = direct.Disconnect(context.WithoutCancel(ctx)) }()
	const alreadyInitialized = 23
	err = direct.Database("admin").RunCommand(ctx, bson.D{{Key: "replSetInitiate", Value: bson.D{
		{Key: "_id", Value: "rs0"},
		{Key: "members", Value: bson.A{bson.D{{Key: "_id", Value: 0}, {Key: "host", Value: host}}}},
	}}}).Err()
	var server mongo.ServerError
	if err != nil && !(errors.As(err, &server) && server.HasErrorCode(alreadyInitialized)) {
		return err
	}
	// a client that connected before the initiation would not know of sessions
	client, err := mongo.Connect(options.Client().ApplyURI(s.URI("admin")))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	return client.Ping(ctx, nil)
}

// URI names a database of the server.
func (s *Server) URI(database string) string {
	return fmt.Sprintf("mongodb://127.0.0.1:%d/%s?replicaSet=rs0", s.port, database)
}

// Kill ends the server at once, as a crash would. Its data stay for Restart.
func (s *Server) Kill() error {
	err := s.stdin.Close()
	_ = s.cmd.Wait() // it was killed: there is always an error
	return err
}

// Restart runs the server again after Kill, with its data, on the same port.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.run(); err != nil {
		return fmt.Errorf("restart mongod: %w", err)
	}
	if err := s.initiate(ctx); err != nil {
		return fmt.Errorf("restart mongod: %w", err)
	}
	return nil
}

// Stop ends the server and deletes its data.
func (s *Server) Stop() error {
	return errors.Join(s.Kill(), os.RemoveAll(s.dir))
}
