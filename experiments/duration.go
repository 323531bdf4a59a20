package experiments

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxDuration bounds every duration of a definition.
const maxDuration = 7 * 24 * time.Hour

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String is the form of the YAML file: "1m30s".
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalJSON writes a number of seconds, so that stored definitions can be
// queried: 90, 0.5.
func (d Duration) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(d).Seconds(), 'f', -1, 64), nil
}

// UnmarshalJSON takes a number of seconds, or a string as in the YAML file.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case float64:
		var err error
		*d, err = seconds(v)
		return err
	case string:
		var err error
		*d, err = ParseDuration(v)
		return err
	}
	return fmt.Errorf("%w: duration %s: want seconds or a text such as \"90s\"", ErrInvalid, b)
}

// ParseDuration reads "90s", "2m", "1h30m", "500ms", or a bare number of seconds.
func ParseDuration(s string) (Duration, error) {
	s = strings.TrimSpace(s)
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return seconds(f)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is not a duration: write 90s, 2m, 500ms or a number of seconds", ErrInvalid, s)
	}
	if v < 0 || v > maxDuration {
		return 0, fmt.Errorf("%w: duration %q: want 0s to %s", ErrInvalid, s, hours(maxDuration))
	}
	return Duration(v.Round(time.Microsecond)), nil
}

func seconds(f float64) (Duration, error) {
	if math.IsNaN(f) || f < 0 || f > maxDuration.Seconds() {
		return 0, fmt.Errorf("%w: duration of %v seconds: want 0 to %.0f", ErrInvalid, f, maxDuration.Seconds())
	}
	return Duration(time.Duration(math.Round(f*1e6)) * time.Microsecond), nil
}

func hours(d time.Duration) string { return fmt.Sprintf("%dh", int(d.Hours())) }
