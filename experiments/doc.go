// Package experiments owns what an experiment is: its definition, the YAML file
// that researchers write, the checks that a definition must pass before anybody
// plays it, its versions in the store, and the demonstration experiments.
//
// A file goes through three gates, and each says everything that is wrong:
//
//   - Parse reads strict YAML. Unknown keys, wrong types, values out of range and
//     names that resolve to nothing are problems with file, line and column.
//   - Check makes the environment and the policies once, and compares: roles,
//     actions behind the keys, inputs, policies. It fills in what was left out, and
//     plays some steps where Python is involved.
//   - Save stores a new version, only if something changed.
//
// A Draft passes them one by one; Import, Check and CheckSource are short ways. Where
// there is no file yet, Propose writes one from what an environment says of itself.
//
// One table (schema.go) drives the parser, the defaults, the JSON schema for
// editors and the tests of docs/EXPERIMENTS.md, so that they cannot diverge.
//
// The package refuses to run experiments: environments and agents come from the Maker
// that is handed in, and are closed again before Check returns.
package experiments
