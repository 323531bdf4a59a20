package link

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sharpie/persistence"
)

// A key is "shk_", a prefix that names it, "_", and 256 random bits. It is shown
// once; the store keeps its hash. A random key of that size needs no slow hash:
// there is nothing to guess.
const (
	keyMark   = "shk_"
	prefixLen = 8
	secretLen = 43 // 32 bytes, base64url without padding
)

// NewKey makes a key, its public prefix, and the hash that is stored.
func NewKey() (key, prefix, hash string) {
	var id [5]byte
	var secret [32]byte
	_, _ = rand.Read(id[:]) // never fails, see package crypto/rand
	_, _ = rand.Read(secret[:])
	prefix = strings.ToLower(base32.StdEncoding.EncodeToString(id[:]))
	key = keyMark + prefix + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
	return key, prefix, HashKey(key)
}

// maxKeyName bounds a key's name, bytes.
const maxKeyName = 100

// CheckKeyName says what is wrong with a key's name; "" is nothing.
func CheckKeyName(name string) string {
	if name == "" {
		return fmt.Sprintf("a name is needed: allowed are 1 to %d bytes on one line", maxKeyName)
	}
	if len(name) > maxKeyName || strings.TrimSpace(name) != name || !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable) {
		return fmt.Sprintf("%q is no name of a key: allowed are 1 to %d bytes on one line", clip(name, maxKeyName), maxKeyName)
	}
	return ""
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// MakeKey makes a key for nodes that all offer these labels, and what is stored of it:
// its hash, but not the key. Its name and its labels were checked.
func MakeKey(id, name string, labels []string, by string, at time.Time) (string, *persistence.RunnerKey) {
	key, prefix, hash := NewKey()
	all := slices.Compact(slices.Sorted(slices.Values(labels)))
	return key, &persistence.RunnerKey{ID: id, Name: name, Prefix: prefix, Hash: hash, Labels: append([]string{}, all...), CreatedAt: at.UTC(), CreatedBy: by}
}

// HashKey is the SHA-256 of a key, in hexadecimal.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// keyPrefix is the public part of a key; false for what is no key at all.
func keyPrefix(key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, keyMark)
	if !ok || len(rest) != prefixLen+1+secretLen || rest[prefixLen] != '_' {
		return "", false
	}
	return rest[:prefixLen], true
}

// sameHash compares in a time that does not depend on what differs.
func sameHash(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// CheckKey says what is wrong with a key at first sight; "" is nothing.
func CheckKey(key string) string {
	if _, ok := keyPrefix(key); !ok {
		return "That is no runner key. Keys begin with shk_ and are made with: sharpie runner-key add NAME"
	}
	return ""
}
