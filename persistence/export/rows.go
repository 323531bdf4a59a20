package export

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"time"
)

// rowWriter writes the rows of one file.
type rowWriter struct {
	file   *os.File
	buf    *bufio.Writer
	csv    *csv.Writer // nil for JSON lines
	table  table
	line   []byte
	cells  []string
	rows   int64
	header bool
}

func newRowWriter(f *os.File, t table, format Format) *rowWriter {
	w := &rowWriter{file: f, buf: bufio.NewWriterSize(f, 256<<10), table: t}
	if format == CSV {
		w.csv, w.cells = csv.NewWriter(w.buf), make([]string, len(t.columns))
	}
	return w
}

// row writes one row: a cell per column, each nil, a bool, a number, a string, a
// time or a value.
func (w *rowWriter) row(cells ...any) error {
	if len(cells) != len(w.table.columns) {
		panic(fmt.Sprintf("export: %s has %d columns, not %d", w.table.name, len(w.table.columns), len(cells)))
	}
	w.rows++
	if w.csv != nil {
		return w.csvRow(cells)
	}
	w.line = append(w.line[:0], '{')
	var err error
	for i, c := range cells {
		if i > 0 {
			w.line = append(w.line, ',')
		}
		w.line = append(strconv.AppendQuote(w.line, w.table.columns[i].name), ':') // plain letters: the same in JSON
		if w.line, err = appendJSON(w.line, c); err != nil {
			return fmt.Errorf("%s: %w", w.table.columns[i].name, err)
		}
	}
	w.line = append(w.line, '}', '\n')
	_, err = w.buf.Write(w.line)
	return err
}

// csvRow writes null as an empty cell, text and times plainly, and a value as JSON.
func (w *rowWriter) csvRow(cells []any) error {
	if err := w.csvHeader(); err != nil {
		return err
	}
	for i, c := range cells {
		switch c := c.(type) {
		case nil:
			w.cells[i] = ""
			continue
		case string:
			w.cells[i] = c
			continue
		case time.Time:
			w.cells[i] = c.UTC().Format(timeFormat)
			continue
		case value:
			if c.v == nil {
				w.cells[i] = ""
				continue
			}
		}
		text, err := appendJSON(w.line[:0], c)
		if err != nil {
			return fmt.Errorf("%s: %w", w.table.columns[i].name, err)
		}
		if _, ok := c.(float64); ok && text[0] == '"' {
			text = text[1 : len(text)-1] // NaN is plain where nothing else is quoted
		}
		w.line, w.cells[i] = text, string(text)
	}
	return w.csv.Write(w.cells)
}

// csvHeader writes the names of the columns, once.
func (w *rowWriter) csvHeader() error {
	if w.header {
		return nil
	}
	w.header = true
	names := make([]string, len(w.table.columns))
	for i, c := range w.table.columns {
		names[i] = c.name
	}
	return w.csv.Write(names)
}

// close brings everything to the disk.
func (w *rowWriter) close() error {
	if w.csv != nil {
		if err := w.csvHeader(); err != nil {
			return err
		}
		w.csv.Flush()
		if err := w.csv.Error(); err != nil {
			return err
		}
	}
	if err := w.buf.Flush(); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	return w.file.Close()
}
