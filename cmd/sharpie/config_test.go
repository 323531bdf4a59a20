package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestASettingMeansTheSameFromEverywhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sharpie.yaml")
	write(t, file, `
slots: 3
addr: ":1"
drain-grace: 5s
demos: false
labels: [gpu, robot]
trusted-proxies: 10.0.0.1
`)
	t.Run("file", func(t *testing.T) {
		c, err := parseServe(t, "--config", file)
		if err != nil {
			t.Fatal(err)
		}
		if c.Slots != 3 || c.Addr != ":1" || c.DrainGrace != 5*time.Second || c.Demos ||
			strings.Join(c.Labels, " ") != "gpu robot" || len(c.TrustedProxies) != 1 {
			t.Errorf("the file gives %+v", c)
		}
	})
	t.Run("environment before file", func(t *testing.T) {
		t.Setenv("SHARPIE_CONFIG", file)
		t.Setenv("SHARPIE_SLOTS", "4")
		c, err := parseServe(t)
		if err != nil {
			t.Fatal(err)
		}
		if c.Slots != 4 || c.Addr != ":1" {
			t.Errorf("slots is %d, want 4 of the environment; addr is %q, want :1 of the file", c.Slots, c.Addr)
		}
	})
	t.Run("flag before environment", func(t *testing.T) {
		t.Setenv("SHARPIE_SLOTS", "4")
		c, err := parseServe(t, "--config", file, "--slots", "5", "--demos")
		if err != nil {
			t.Fatal(err)
		}
		if c.Slots != 5 || !c.Demos {
			t.Errorf("slots is %d, want 5 of the flag; demos is %t, want true", c.Slots, c.Demos)
		}
	})
	t.Run("wrong value in the environment", func(t *testing.T) {
		t.Setenv("SHARPIE_SLOTS", "many")
		if _, err := parseServe(t); err == nil || !strings.Contains(err.Error(), "SHARPIE_SLOTS") {
			t.Errorf("the error is %v, want one that names SHARPIE_SLOTS", err)
		}
	})
}

func TestABadConfigFileIsRefused(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"unknown key", "slot: 3\n", `unknown setting "slot"; known are`},
		{"a flag that is no setting", "help: true\n", `unknown setting "help"`},
		{"another file", "config: other.yaml\n", `unknown setting "config"`},
		{"nested", "serve:\n  slots: 3\n", "serve: want a text"},
		{"empty", "slots:\n", "slots: has no value"},
		{"twice", "slots: 3\nslots: 4\n", "slots"},
		{"wrong type", "slots: many\n", "--slots"},
		{"wrong value", "log-format: xml\n", `"text","json"`},
		{"out of range", "slots: 20000\n", "0 to 10000"},
		{"no mapping", "slots\n", "want lines like"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "sharpie.yaml")
			write(t, file, test.text)
			_, err := parseServe(t, "--config", file)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want one with %q", err, test.want)
			}
		})
	}
}
