package main

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// secrets are what the server generates once and keeps in the data folder.
type secrets struct {
	// RegistrationKey is what people type to register.
	RegistrationKey string `json:"registration_key"`
	// Server is 32 random bytes, hex-free: what other keys are derived from.
	Server []byte `json:"server_key"`
}

// loadSecrets reads the secrets of the data folder, and generates the missing
// ones: fresh says that the registration key is new.
func loadSecrets(data string) (s secrets, fresh bool, err error) {
	path := filepath.Join(data, "secrets.json")
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return s, false, fmt.Errorf("read the secrets: %w", err)
	default:
		if err := json.Unmarshal(raw, &s); err != nil {
			return s, false, fmt.Errorf("%s is damaged; delete it to have new secrets generated: %w", path, err)
		}
	}
	fresh = s.RegistrationKey == ""
	if !fresh && len(s.Server) == 32 {
		return s, false, nil
	}
	if fresh {
		s.RegistrationKey = newRegistrationKey()
	}
	if len(s.Server) != 32 {
		s.Server = make([]byte, 32)
		_, _ = rand.Read(s.Server) // never fails
	}
	return s, fresh, writeSecrets(path, s)
}

// writeSecrets writes whole or not at all, readable for the owner alone.
func writeSecrets(path string, s secrets) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the secrets: %w", err)
	}
	part := path + ".part"
	if err := os.WriteFile(part, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the secrets: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("write the secrets: %w", err)
	}
	return nil
}

// newRegistrationKey is 75 bits, in three groups that can be read aloud.
func newRegistrationKey() string {
	random := make([]byte, 10)
	_, _ = rand.Read(random) // never fails
	text := strings.ToLower(base32.StdEncoding.EncodeToString(random))
	return text[0:5] + "-" + text[5:10] + "-" + text[10:15]
}
