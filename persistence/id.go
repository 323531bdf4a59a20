package persistence

import (
	"encoding/base32"
	"strings"

	"github.com/google/uuid"
)

// idEncoding keeps the order of bytes, so that ids sort like the UUIDs in them.
var idEncoding = base32.HexEncoding.WithPadding(base32.NoPadding)

// NewID makes an id: prefix, "_" and a UUIDv7 (RFC 9562) as 26 lower-case
// characters of base32hex. Ids of one prefix sort by time of creation, those of
// one process strictly. They hold letters, digits and "_" only.
func NewID(prefix string) string {
	u := uuid.Must(uuid.NewV7()) // fails only where the system has no randomness
	return prefix + "_" + strings.ToLower(idEncoding.EncodeToString(u[:]))
}

// NameKey is the key under which a user name is unique: its lower-case form.
func NameKey(name string) string { return strings.ToLower(name) }
