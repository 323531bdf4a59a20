package experiments

import (
	"time"

	"sharpie/envs"
)

// Definition is one experiment as its author wrote it, complete: after Parse
// every default is filled in and every name resolves. Its JSON form is the
// canonical one: it is stored with each version, hashed to find changes, and
// sent to runners.
type Definition struct {
	UseCase          string `json:"use_case,omitempty"`
	PythonVersion    string `json:"python_version,omitempty"`
	CondaEnvironment string `json:"conda_environment,omitempty"`
	// Interpreter is the path of a Python program or of a virtual environment's folder.
	Interpreter       string   `json:"interpreter,omitempty"`
	Dependencies      []string `json:"dependencies,omitempty"`
	InstallationNotes string   `json:"installation_notes,omitempty"`

	Environment Environment `json:"environment"`
	Policies    []Policy    `json:"policies,omitempty"`
	Agents      []Agent     `json:"agents"`
	Experiment  Experiment  `json:"experiment"`
}

// Environment says what is stepped.
type Environment struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Source is "go:ID", "gymnasium:ID", "pettingzoo:MODULE", or empty where
	// Filepaths name a researcher's own Python file.
	Source string `json:"source,omitempty"`
	// Kwargs and Metadata hold JSON types; numbers are int64 where they are whole,
	// else float64.
	Kwargs    map[string]any    `json:"kwargs,omitempty"`
	Filepaths map[string]string `json:"filepaths,omitempty"`
	Metadata  map[string]any    `json:"metadata,omitempty"`
	// FrameFormat is the order of colours in a Python file's pictures: "rgb", "bgr", or
	// "auto", which looks at the source.
	FrameFormat string `json:"frame_format,omitempty"`
}

// Policy is a named mapping from observations to actions that agents refer to.
type Policy struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Source is "go:NAME", or empty where Filepaths name a Python file.
	Source    string            `json:"source,omitempty"`
	Kwargs    map[string]any    `json:"kwargs,omitempty"`
	Filepaths map[string]string `json:"filepaths,omitempty"`
	// CheckpointInterval is, for historical reasons, the interval of updates, in
	// steps: 0 or -1 never, N every N steps, -2 after the last transition only.
	CheckpointInterval int `json:"checkpoint_interval"`
	// CheckpointScope is who shares what was learned: "session", "participant" or
	// "experiment".
	CheckpointScope string `json:"checkpoint_scope,omitempty"`
	// CheckpointEvery stores the state after so many updates, besides the end of each
	// episode; 0 is never.
	CheckpointEvery int `json:"checkpoint_every,omitempty"`
}

// InputsType is what a participant's input means.
type InputsType string

// The three meanings of a participant's input.
const (
	// InputActions: the input replaces the policy's action unless it is the default.
	InputActions InputsType = "actions"
	// InputReward: the input is the reward of the transition just shown.
	InputReward InputsType = "reward"
	// InputOther: the input is handed to the policy.
	InputOther InputsType = "other"
)

// Agent is the occupant of one role: a policy, a participant, or both.
type Agent struct {
	Role        envs.Role `json:"role"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	// Policy names one of Definition.Policies; empty is none.
	Policy string `json:"policy,omitempty"`
	// Participant says that the role is a seat offered to a person.
	Participant            bool                  `json:"participant"`
	KeyboardInputs         KeyMap                `json:"keyboard_inputs,omitempty"`
	KeyboardInputDisplay   map[string]KeyDisplay `json:"keyboard_input_display,omitempty"`
	MultipleKeyboardInputs bool                  `json:"multiple_keyboard_inputs"`
	InputsType             InputsType            `json:"inputs_type"`
	TextualInputs          bool                  `json:"textual_inputs"`
	// EnvAgentID is the environment's own name of the role, where it differs.
	EnvAgentID string `json:"env_agent_id,omitempty"`
}

// KeyMap maps keys to values, in the author's order, with the value of an idle seat.
type KeyMap struct {
	Bindings []KeyBinding
	// Default is the value of a seat that sends nothing; 0 where none is given. It
	// may lie outside the action space (-1, say, where every action has a key): such
	// a seat has no action of its own, and the policy's or the fallback is taken.
	Default any
}

// KeyBinding is one key, by the browser's KeyboardEvent.key ("ArrowLeft", "a",
// " "), and the value it stands for: a number (int64 where it is whole, else
// float64), a string, or a []any of them.
type KeyBinding struct {
	Key   string
	Value any
}

// KeyDisplay is how the controls card shows a key.
type KeyDisplay struct {
	Symbol string `json:"symbol,omitempty"`
	Label  string `json:"label,omitempty"`
}

// DropOut is what happens to a session when someone leaves for good.
type DropOut string

// The drop-out policies.
const (
	DropOutPause    DropOut = "pause"    // wait, paused, up to DropOutTimeout, then abort
	DropOutAI       DropOut = "ai"       // Experiment.DropOutPolicy takes the seat
	DropOutContinue DropOut = "continue" // the seat's default input from now on
	DropOutAbort    DropOut = "abort"    // end the session for everyone
)

// Experiment is how the environment and its agents meet people.
type Experiment struct {
	// Link is the URL slug, unique: lower-case letters, digits, "-" and "_".
	Link             string `json:"link"`
	Name             string `json:"name"`
	ShortDescription string `json:"short_description,omitempty"`
	// LongDescription, Consent, Instructions and Thanks are Markdown.
	LongDescription string `json:"long_description,omitempty"`
	Instructions    string `json:"instructions,omitempty"`
	Consent         string `json:"consent,omitempty"`
	Thanks          string `json:"thanks,omitempty"`

	Enabled          bool `json:"enabled"`
	NumberOfEpisodes int  `json:"number_of_episodes"`
	// TargetFPS is steps per second, 0.1 to 240; 0 is "no pause", turn-based only.
	TargetFPS float64 `json:"target_fps"`
	// WaitForInputs: turn-based where true, real time where false.
	WaitForInputs bool `json:"wait_for_inputs"`
	// MaxSteps truncates every episode; 0 leaves it to the environment.
	MaxSteps int `json:"max_steps,omitempty"`
	// Seeds gives episode i the seed Seeds[i mod len]; empty draws one at random,
	// recorded like any other.
	Seeds []uint64 `json:"seeds,omitempty"`
	// Needs lists the labels that a runner node must have.
	Needs []string `json:"needs,omitempty"`

	// Deadlines.
	InputTimeout   Duration `json:"input_timeout"`   // turn-based: a step waits at most so long
	LobbyTimeout   Duration `json:"lobby_timeout"`   // waiting for partners
	Countdown      Duration `json:"countdown"`       // between "everyone is here" and the start
	QueueTimeout   Duration `json:"queue_timeout"`   // waiting for a runner
	EpisodeTimeout Duration `json:"episode_timeout"` // wall time of one episode
	BetweenPause   Duration `json:"between_pause"`   // shown between two episodes
	ReconnectGrace Duration `json:"reconnect_grace"` // a lost participant keeps the seat
	FeedbackGrace  Duration `json:"feedback_grace"`  // inputs_type reward: after the last step
	LoadTimeout    Duration `json:"load_timeout"`
	ResetTimeout   Duration `json:"reset_timeout"`
	StepTimeout    Duration `json:"step_timeout"`
	UpdateTimeout  Duration `json:"update_timeout"` // the last updates of an episode

	// MemoryLimit bounds what a Python process may use, in MiB; 0 is no limit.
	MemoryLimit int `json:"memory_limit"`
	// Network is whether Python code may use the network.
	Network bool `json:"network,omitempty"`

	OnDropOut DropOut `json:"on_drop_out"`
	// DropOutPolicy names one of Definition.Policies; set where OnDropOut is "ai".
	DropOutPolicy  string   `json:"drop_out_policy,omitempty"`
	DropOutTimeout Duration `json:"drop_out_timeout"`
	// OnRunnerLoss is "resume", "restart" or "abort".
	OnRunnerLoss string `json:"on_runner_loss"`

	// CompletionCode is shown at the end; "random" makes one per participant.
	CompletionCode string `json:"completion_code,omitempty"`
	// RedirectURL is where the browser goes at the end (http or https).
	RedirectURL string `json:"redirect_url,omitempty"`
}

// Duration is a time.Duration, written "90s", "2m" or as a number of seconds.
type Duration time.Duration

// Seats returns the agents that are offered to participants, in order.
func (d *Definition) Seats() []Agent {
	var out []Agent
	for _, a := range d.Agents {
		if a.Participant {
			out = append(out, a)
		}
	}
	return out
}
