package http

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a password hash: argon2id with the minimum of OWASP's Password
// Storage Cheat Sheet, 19 MiB, two passes, one lane.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16 // bytes
	argonKey     = 32 // bytes
)

// errPasswordHash: the stored hash is not one of ours.
var errPasswordHash = errors.New("http: not an argon2id hash")

// passwords hashes and verifies, a bounded number at a time: each takes 19 MiB
// and tens of milliseconds of a core.
type passwords struct {
	slots chan struct{}
	// dummy is verified where there is no user, so that both take equally long.
	dummy string
}

func newPasswords() *passwords {
	return &passwords{
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		dummy: encodeHash(make([]byte, argonSalt), make([]byte, argonKey)),
	}
}

// hash returns the password's hash as a PHC string.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	return encodeHash(salt, argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)), nil
}

// verify says whether the password is the one of the hash; with an empty hash it
// is not, and takes as long to say so.
func (p *passwords) verify(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = p.dummy
	}
	c, err := decodeHash(hash)
	if err != nil {
		return false, err
	}
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	got := argon2.IDKey([]byte(password), c.salt, c.time, c.memory, c.threads, uint32(len(c.key)))
	return subtle.ConstantTimeCompare(got, c.key) == 1 && known, nil
}

func (p *passwords) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}

func (p *passwords) leave() { <-p.slots }

// HashPassword returns a password's hash as a User keeps it, for commands that
// make users. It refuses what the register page would refuse.
func HashPassword(ctx context.Context, password string) (string, error) {
	if problem := checkNewPassword("", password); problem != "" {
		return "", errors.New(problem)
	}
	return newPasswords().hash(ctx, password)
}

// hashCost is a PHC string taken apart.
type hashCost struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func encodeHash(salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(key))
}

func decodeHash(s string) (hashCost, error) {
	var c hashCost
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return c, errPasswordHash
	}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, fmt.Errorf("%w: version %q", errPasswordHash, parts[2])
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return c, fmt.Errorf("%w: cost %q", errPasswordHash, parts[3])
	}
	if c.memory < 8 || c.memory > 1<<20 || c.time < 1 || c.time > 16 || c.threads < 1 {
		return c, fmt.Errorf("%w: cost %q is out of range", errPasswordHash, parts[3])
	}
	var err error
	if c.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(c.salt) < 8 || len(c.salt) > 64 {
		return c, fmt.Errorf("%w: salt", errPasswordHash)
	}
	if c.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(c.key) < 16 || len(c.key) > 64 {
		return c, fmt.Errorf("%w: key", errPasswordHash)
	}
	return c, nil
}
