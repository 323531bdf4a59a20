package main

import (
	"io"
	"log/slog"

	"github.com/alecthomas/kong"
)

const description = `SHARPIE: people and learning agents in the same reinforcement-learning environment, over the web.

  sharpie serve                       everything in ./data, on http://localhost:8080
  sharpie import my-experiment.yaml   add an experiment, or a new version of it
  sharpie export --experiment LINK    its episodes, as files

Every setting can be given as a flag (--data DIR), in the environment
(SHARPIE_DATA=DIR) or in a YAML file (--config FILE with the line "data: DIR").
They mean the same; a flag counts before the environment, and that before the file.`

// cli is the command line. A flag with an environment variable is a setting: it
// may also stand in the configuration file, under the flag's name.
type cli struct {
	Config    string `help:"YAML file with settings, one per line: the names of the flags without dashes in front." type:"path" placeholder:"FILE" env:"SHARPIE_CONFIG"`
	LogFormat string `help:"How the log is written: ${enum}." enum:"text,json" default:"text" env:"SHARPIE_LOG_FORMAT"`
	LogLevel  string `help:"What is logged: ${enum}, each with everything graver." enum:"debug,info,warn,error" default:"info" env:"SHARPIE_LOG_LEVEL"`

	pythonFlags

	Serve     serveCommand     `cmd:"" help:"Serve the platform: pages, play, Admin and the runners in this process."`
	New       newCommand       `cmd:"" help:"Write the beginning of an environment or a policy in Python, which works as it is."`
	Import    importCommand    `cmd:"" help:"Add experiments from folders, galleries, YAML files and sources, or new versions of them."`
	Export    exportCommand    `cmd:"" help:"Write an experiment's episodes, steps and inputs to files."`
	Verify    verifyCommand    `cmd:"" help:"Prove that a stored episode is whole and can be reproduced."`
	Bench     benchCommand     `cmd:"" help:"Measure a server on this machine beside a bare WebSocket echo."`
	Python    pythonCommand    `cmd:"" help:"Build, list and remove the Pythons that experiments run on."`
	User      userCommand      `cmd:"" help:"Manage logins."`
	Runner    runnerCommand    `cmd:"" help:"Make this machine a runner node of a server elsewhere."`
	RunnerKey runnerKeyCommand `cmd:"" name:"runner-key" help:"Manage the keys with which runner nodes join."`
	Schema    schemaCommand    `cmd:"" help:"Print the JSON schema of experiment files, for editors."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// newParser makes the parser of the command line. exit is called by --help.
func newParser(line *cli, stdout, stderr io.Writer, exit func(int)) (*kong.Kong, error) {
	return kong.New(line,
		kong.Name("sharpie"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(stdout, stderr),
		kong.Exit(exit),
		kong.WithBeforeResolve(loadConfigFile),
	)
}

// logger writes what the flags ask for.
func (c *cli) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // one of the enum
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
