package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNotEmpty: the folder to export to has files already.
var ErrNotEmpty = errors.New("export: the folder is not empty: choose a new one")

// target is the folder that appears when everything is in it.
type target struct {
	dir  string // as it will be called
	temp string // where it is filled, beside dir
}

func newTarget(dir string) (*target, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := empty(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".partial-")
	if err != nil {
		return nil, err
	}
	return &target{dir: dir, temp: temp}, nil
}

// empty returns nil where dir does not exist, or is a folder without files.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("%w (it has %q)", ErrNotEmpty, entries[0].Name())
	}
	return err
}

func (t *target) create(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(t.temp, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

// finish adds export.json and README.md, and gives the folder its name.
func (t *target) finish(s *Summary) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	for name, text := range map[string]string{"export.json": string(text) + "\n", "README.md": readme(s)} {
		if err := os.WriteFile(filepath.Join(t.temp, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.Chmod(t.temp, 0o755); err != nil {
		return err
	}
	if err := os.Remove(t.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(ErrNotEmpty, err) // it was empty when the export began
	}
	return os.Rename(t.temp, t.dir)
}

// discard deletes what was written so far.
func (t *target) discard() {
	_ = os.RemoveAll(t.temp) // the error that led here says more
}

// readme explains every column.
func readme(s *Summary) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Export of the experiment %s\n\nWritten %s. ", s.Experiment, s.WrittenAt.Format(timeFormat))
	b.WriteString(`Times are UTC with microseconds; the name of a column says whose clock it is.
Arrays are nested lists in row-major order, those of more than ` + fmt.Sprint(maxElements) + ` elements {dtype, shape,
base64 of the little-endian bytes}. NaN and the infinities are the strings "NaN", "Infinity",
"-Infinity" within JSON. In CSV an empty cell is null, and columns marked JSON hold JSON text.
`)
	for _, t := range tables() {
		name := t.name + "." + string(s.Format)
		fmt.Fprintf(&b, "\n## %s (%d rows)\n\n%s\n\n| column | meaning |\n|---|---|\n", name, s.Rows[name], t.text)
		for _, c := range t.columns {
			fmt.Fprintf(&b, "| `%s` | %s |\n", c.name, c.text)
		}
	}
	return b.String()
}
