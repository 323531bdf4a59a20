package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"sharpie/envs"
	"sharpie/experiments"
	"sharpie/experiments/making"
)

// propose writes the file of an experiment with a source.
func (i *importer) propose(ctx context.Context, item importItem, progress func(string)) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, importWait)
	defer cancel()
	p := experiments.Proposal{
		Source: item.Source, Link: item.Link, Name: item.Title, Dependencies: making.WithDependencies(item.Source, item.With),
	}
	d := &experiments.Definition{Environment: experiments.Environment{Source: item.Source}, Dependencies: p.Dependencies}
	if err := i.maker.Prepare(ctx, d, progress); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", experiments.ErrInvalid, item.Source, err)
	}
	yaml, err := experiments.ProposeFrom(ctx, i.maker, p)
	if err != nil {
		return nil, item.advised(err)
	}
	return yaml, nil
}

// advice is what the errors of environments say of packages that are missing: they are
// to be named in a file, which a source alone does not have.
var advice = regexp.MustCompile(`(?:add it to|in) the experiment's file: dependencies: \[(?:"([^"]*)"|\.\.\.)\]|name the package in dependencies: \[\.\.\.\]`)

// advisedError is an error whose text was made to fit.
type advisedError struct {
	error
	text string
}

// Error is the text that fits.
func (e *advisedError) Error() string { return e.text }

// Unwrap is the error as it was.
func (e *advisedError) Unwrap() error { return e.error }

// advised says of a missing package which command brings it.
func (i *importItem) advised(err error) error {
	was := err.Error()
	text := advice.ReplaceAllStringFunc(was, func(found string) string {
		name := "PACKAGE"
		if m := advice.FindStringSubmatch(found); m[1] != "" {
			name = m[1]
		}
		command := "run: sharpie import " + i.Source
		for _, w := range append(i.With[:len(i.With):len(i.With)], name) {
			command += " --with '" + w + "'"
		}
		return command
	})
	if text == was {
		return err
	}
	return &advisedError{err, text}
}

var noModule = regexp.MustCompile(`No module named '([A-Za-z0-9_.]+)'`)

// lacking is what an experiment lacks, short enough for a table.
func (i *importItem) lacking(err error) string {
	if m := noModule.FindStringSubmatch(err.Error()); m != nil {
		name, _, _ := strings.Cut(m[1], ".")
		if i.Source != "" {
			return fmt.Sprintf("missing: the Python module %s; name its package with --with", name)
		}
		return fmt.Sprintf("missing: the Python module %s; name its package under dependencies", name)
	}
	var fault *envs.Fault
	if errors.As(err, &fault) {
		return "not imported: " + string(fault.State)
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	line = strings.TrimPrefix(line, experiments.ErrInvalid.Error()+": ")
	if _, after, ok := strings.Cut(line, "config.yaml:"); ok {
		line = after
	}
	if r := []rune(line); len(r) > 100 {
		line = string(r[:100]) + "…"
	}
	return "not imported: " + line
}
