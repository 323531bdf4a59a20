package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sharpie/persistence"
	"sharpie/persistence/embedded"
	"sharpie/persistence/mongo"
)

// How long a MongoDB server that does not answer is tried again before a command
// gives up: a server and its database are often started at the same moment.
const (
	mongoPatience = 15 * time.Second
	mongoRetry    = 500 * time.Millisecond
	mongoSilence  = time.Second // before it is said
)

// storeFlags say where everything is kept.
type storeFlags struct {
	Data  string `help:"Folder of the embedded store and of what the server generates." type:"path" default:"data" placeholder:"data" env:"SHARPIE_DATA"`
	Mongo string `help:"Keep the data in MongoDB instead of the embedded store: mongodb://HOST:27017/DATABASE." placeholder:"URI" env:"SHARPIE_MONGO"`
}

// Validate refuses what is no MongoDB URI, and a data folder that is a file.
func (f *storeFlags) Validate() error {
	if f.Data == "" {
		return errors.New("--data is empty: want a folder")
	}
	if info, err := os.Stat(f.Data); err == nil && !info.IsDir() {
		return fmt.Errorf("--data %s is a file: want a folder", f.Data)
	}
	if f.Mongo == "" {
		return nil
	}
	if !strings.HasPrefix(f.Mongo, "mongodb://") && !strings.HasPrefix(f.Mongo, "mongodb+srv://") {
		return errors.New("--mongo: want mongodb://HOST:PORT/DATABASE or mongodb+srv://HOST/DATABASE")
	}
	return nil
}

// file is the embedded store's.
func (f *storeFlags) file() string { return filepath.Join(f.Data, "sharpie.db") }

// describe names the store for people, without its password.
func (f *storeFlags) describe() string {
	if f.Mongo == "" {
		return f.file()
	}
	if u, err := url.Parse(f.Mongo); err == nil {
		return u.Redacted()
	}
	return "MongoDB"
}

// mustExist refuses a folder in which nothing is kept yet: what is made there would be
// seen by no server.
func (f *storeFlags) mustExist() error {
	if f.Mongo != "" {
		return nil
	}
	if _, err := os.Stat(f.file()); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no SHARPIE data in %s: give the folder of the server with --data, or start it there once", f.Data)
	}
	return nil
}

// makeData makes the data folder, for its owner alone.
func (f *storeFlags) makeData() error {
	if err := os.MkdirAll(f.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	return nil
}

// open opens the store; a MongoDB that is away is waited for, some seconds.
func (f *storeFlags) open(a *app) (persistence.Store, error) {
	if f.Mongo == "" {
		if err := f.makeData(); err != nil {
			return nil, err
		}
		return embedded.Open(a.ctx, f.file())
	}
	ctx, cancel := context.WithTimeout(a.ctx, mongoPatience)
	defer cancel()
	warning := time.AfterFunc(mongoSilence, func() {
		a.log.Warn("the store does not answer yet, waiting for it", "store", f.describe(), "at_most", mongoPatience)
	})
	defer warning.Stop()
	for {
		store, err := mongo.Open(ctx, f.Mongo)
		if err == nil {
			return store, nil
		}
		if !errors.Is(err, persistence.ErrUnavailable) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s did not answer; is it running, and is --mongo right? %w", f.describe(), err)
		case <-time.After(mongoRetry):
		}
	}
}
