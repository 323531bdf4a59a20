package http

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
)

// tokenBytes is the size of every random token: 256 bits.
const tokenBytes = 32

// newToken returns a random token, URL-safe, 43 characters.
func newToken() string {
	var b [tokenBytes]byte
	// rand.Read never fails: it ends the process where the system has no randomness.
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// HashToken is what the store keeps of a login's or one-time link's token:
// SHA-256, hex.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// wellFormedToken says whether a token from outside can be one of ours, so that
// nonsense never reaches the store.
func wellFormedToken(token string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return err == nil && len(b) == tokenBytes
}

// signer makes keyed digests for one purpose.
type signer struct{ key []byte }

// newSigner derives a purpose's own key, so that what is signed for one purpose
// is worth nothing for another.
func newSigner(secret []byte, purpose string) signer {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(purpose))
	return signer{key: m.Sum(nil)}
}

func (s signer) sign(text string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (s signer) valid(text, signature string) bool {
	return equalSecrets(s.sign(text), signature)
}

// equalSecrets compares in a time that depends on neither text.
func equalSecrets(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
