package main

import (
	"bytes"
	"fmt"

	"sharpie/experiments"
)

// schemaCommand prints the JSON schema of experiment files.
type schemaCommand struct{}

// Help is the longer text of `sharpie schema --help`.
func (schemaCommand) Help() string {
	return `Editors that understand YAML schemas then complete and check experiment files:

  sharpie schema > sharpie.schema.json

and as the first line of an experiment:

  # yaml-language-server: $schema=sharpie.schema.json`
}

// Run prints the schema.
func (schemaCommand) Run(a *app) error {
	_, err := fmt.Fprintf(a.stdout, "%s\n", bytes.TrimSpace(experiments.JSONSchema()))
	return err
}
