package main

import "testing"

func TestSizesAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]byteSize{"4GiB": 4 << 30, "64 MiB": 64 << 20, "1024": 1 << 10, "0": 0, "16TiB": 16 << 40} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GiB", "4GB", "-1MiB", "1.5GiB", "9999999999TiB", "NaN"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %s", text, got)
		}
	}
	for size, want := range map[byteSize]string{4 << 30: "4GiB", 1: "1 bytes", 1536 << 20: "1536MiB", 0: "0 bytes"} {
		if got := size.String(); got != want {
			t.Errorf("%d is written as %q, want %q", int64(size), got, want)
		}
	}
}
