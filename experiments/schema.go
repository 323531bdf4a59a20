package experiments

import "regexp"

// The patterns of the table, compiled once; never changed.
var (
	linkPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	rolePattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	labelPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9_.=-]{0,63}$`)
	sourcePattern = regexp.MustCompile(`^(go|gymnasium|pettingzoo):[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}$`)
	goPattern     = regexp.MustCompile(`^go:[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$`)
	pythonPattern = regexp.MustCompile(`^3\.[0-9]{1,2}(\.[0-9]{1,2})?$`)
	secretPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	namePattern   = regexp.MustCompile(`^\S(.*\S)?$`)
)

// schema is the table: every key of an experiment file with its type, default,
// range and description.
func schema() *spec {
	name := matching(text(""), namePattern, "not empty, no blanks at either end")
	return &spec{kind: kindObject, doc: "An experiment of SHARPIE.", fields: []field{
		{key: "use_case", spec: literal(text("Name of the use case in a gallery. For the reader only."))},
		{key: "python_version", spec: literal(matching(text("Python version that the files need."), pythonPattern, `a version such as "3.10"`))},
		{key: "conda_environment", spec: text("Name of the conda environment in which the files run.")},
		{key: "interpreter", spec: text("Path, on the runner, of a Python program or of a virtual environment's folder.")},
		{key: "dependencies", spec: list(200, text("A requirement as pip takes it."), "Python packages that the files need.")},
		{key: "installation_notes", spec: markdown("What else has to be installed, for the people who run the experiment.")},
		{key: "environment", required: true, spec: environmentSpec(name)},
		{key: "policy", spec: described(policySpec(name), "A single policy, as galleries write it. The same as one entry of policies.")},
		{key: "policies", spec: spec{kind: kindNamed, max: 50, items: policyItems(name),
			doc: "The policies that agents refer to by name: a list, or a map from name to policy."}},
		{key: "agents", spec: spec{kind: kindList, min: 1, max: 500, items: agentSpec(name),
			doc: "One entry for each role of the environment, in the order in which actions are handed over. Needed with filepaths; with a source a person in the first role and go:random in the others are filled in where it is left out."}},
		{key: "experiment", required: true, spec: experimentSpec(name)},
	}}
}

func described(s spec, doc string) spec {
	s.doc = doc
	return s
}

func policyItems(name spec) *spec {
	s := policySpec(name)
	return &s
}

func filepathsSpec(what string) spec {
	item := verified(text("A path relative to the experiment's folder."), verifyPath)
	return mapOf(100, item, "Python files by their purpose; "+what+" is the one that is run.")
}

func environmentSpec(name spec) spec {
	return spec{kind: kindObject, doc: "What is stepped. Either source or filepaths.", fields: []field{
		{key: "name", spec: described(name, "Name for people. Default: the id of the source.")},
		{key: "description", spec: markdown("What the environment is about.")},
		{key: "source", spec: matching(text("A ready environment: go:ID (built in), gymnasium:ID or pettingzoo:MODULE."), sourcePattern, "go:ID, gymnasium:ID or pettingzoo:MODULE, such as go:MountainCar-v0")},
		{key: "kwargs", spec: free("Arguments of the environment, by name.")},
		{key: "filepaths", spec: filepathsSpec("environment")},
		{key: "metadata", spec: free("Keyword arguments for the environment of a Python file.")},
		{key: "frame_format", spec: enum("auto", "The order of colours in a Python file's pictures; auto looks at the source.", "auto", "rgb", "bgr")},
	}}
}

func policySpec(name spec) spec {
	return spec{kind: kindObject, doc: "A mapping from observations to actions.", fields: []field{
		{key: "name", required: true, spec: described(name, "Name by which agents refer to the policy.")},
		{key: "description", spec: markdown("What the policy does.")},
		{key: "source", spec: matching(text("A built-in policy: go:random, go:constant, go:pursuer, go:spreader or go:tamer."), goPattern, "go:NAME, such as go:random")},
		{key: "kwargs", spec: free("Arguments of the policy, by name.")},
		{key: "filepaths", spec: filepathsSpec("policy")},
		{key: "checkpoint_interval", spec: integer(1, -2, 1_000_000, "How often the policy learns, in steps: N every N steps, 0 or -1 never, -2 after the last step only. (The name is historical.)")},
		{key: "checkpoint_scope", spec: enum("session", "Who shares what the policy learned: the episodes of one session, the sessions of one participant, or all sessions of the experiment.", "session", "participant", "experiment")},
		{key: "checkpoint_every", spec: integer(0, 0, 1_000_000, "Stores what was learned after so many updates, besides the end of each episode; 0 is never.")},
	}}
}

func agentSpec(name spec) *spec {
	policy := described(name, "Name of the policy that acts in this role; null: none.")
	policy.nullable = true
	display := spec{kind: kindObject, doc: "How a key is shown.", fields: []field{
		{key: "symbol", spec: spec{kind: kindString, max: 16, doc: "The sign on the key, such as ← or Space."}},
		{key: "label", spec: spec{kind: kindString, max: 60, doc: "What the key does."}},
	}}
	return &spec{kind: kindObject, doc: "The occupant of one role: a policy, a participant, or both.", fields: []field{
		{key: "role", required: true, spec: matching(text("The environment's name of the role, such as agent_0."), rolePattern, "letters, digits, \"_\", \".\" and \"-\", at most 64")},
		{key: "name", spec: described(name, "Name for people. Default: the role.")},
		{key: "description", spec: markdown("What the participant reads about the role.")},
		{key: "policy", spec: policy},
		{key: "participant", spec: boolean(false, "The role is a seat for a person.")},
		{key: "keyboard_inputs", spec: spec{kind: kindKeys, max: 60, doc: "What each key stands for, and under default what no key stands for. Filled in for a participant where it is left out and the actions are known."}},
		{key: "keyboard_input_display", spec: spec{kind: kindDisplay, max: 60, items: &display, doc: "How the keys are shown, by key: symbol and label, or the label alone."}},
		{key: "multiple_keyboard_inputs", spec: boolean(false, "All held keys count, as a list of their values; else the last one pressed.")},
		{key: "inputs_type", spec: enum(string(InputActions), "What an input means. actions: it replaces the policy's action, unless it is the default. reward: it is the reward of the step just shown. other: it is handed to the policy.",
			string(InputActions), string(InputReward), string(InputOther))},
		{key: "textual_inputs", spec: boolean(false, "The participant may send texts.")},
		{key: "env_agent_id", spec: matching(text("The environment's own name of the role, where it differs from role."), rolePattern, "letters, digits, \"_\", \".\" and \"-\", at most 64")},
	}}
}

func experimentSpec(name spec) spec {
	var fields []field
	fields = append(fields, experimentTexts(name)...)
	fields = append(fields, experimentPacing()...)
	fields = append(fields, experimentDeadlines()...)
	fields = append(fields, experimentEnds()...)
	return spec{kind: kindObject, doc: "How the environment and its agents meet people.", fields: fields}
}

func experimentTexts(name spec) []field {
	return []field{
		{key: "link", required: true, spec: matching(text("The last part of the experiment's address. Unique."), linkPattern, "lower-case letters, digits, \"-\" and \"_\", at most 64, beginning with a letter or digit")},
		{key: "name", required: true, spec: described(name, "Title of the experiment.")},
		{key: "short_description", spec: text("One line for the list of experiments.")},
		{key: "long_description", spec: markdown("What the participant reads first.")},
		{key: "instructions", spec: markdown("How to play, shown before and while playing.")},
		{key: "consent", spec: markdown("What the participant agrees to before the first session. Default: the platform's own text.")},
		{key: "thanks", spec: markdown("What the participant reads at the end.")},
		{key: "enabled", spec: boolean(true, "Open to participants. Counts for the first import; later it is switched in Admin.")},
	}
}

func experimentPacing() []field {
	seed := spec{kind: kindInt, min: 0, max: 1<<63 - 1, doc: "A seed."}
	return []field{
		{key: "number_of_episodes", spec: integer(1, 1, 10_000, "Episodes of one session.")},
		{key: "target_fps", spec: number(24, 0, 240, "Steps per second. Real time: 0.1 to 240. Turn-based: 1/target_fps is the pause after a step; 0 is no pause.")},
		{key: "wait_for_inputs", spec: boolean(false, "true: turn-based, each step waits for the inputs. false: real time.")},
		{key: "max_steps", spec: integer(0, 0, 10_000_000, "Ends every episode after so many steps; 0 leaves it to the environment.")},
		{key: "seeds", spec: list(10_000, seed, "Seeds of the episodes, in turn. Default: drawn at random, and recorded.")},
		{key: "needs", spec: list(20, matching(text("A label."), labelPattern, "lower-case letters, digits, \"_\", \".\", \"=\" and \"-\""), "Labels that a runner must have.")},
	}
}

func experimentDeadlines() []field {
	return []field{
		{key: "input_timeout", spec: duration("60s", 0.1, 86400, "Turn-based: a step waits at most so long for inputs.")},
		{key: "lobby_timeout", spec: duration("5m", 1, 86400, "How long a participant waits for partners.")},
		{key: "countdown", spec: duration("5s", 0, 300, "Between \"everyone is here\" and the start; skipped where there is one seat only.")},
		{key: "queue_timeout", spec: duration("5m", 1, 86400, "How long a session waits for a free runner.")},
		{key: "episode_timeout", spec: duration("1h", 1, 604800, "An episode takes at most so long.")},
		{key: "between_pause", spec: duration("5s", 0, 3600, "Pause between two episodes.")},
		{key: "reconnect_grace", spec: duration("60s", 0, 3600, "A participant who lost the connection keeps the seat so long.")},
		{key: "feedback_grace", spec: duration("0s", 0, 300, "After the last step, so much time for a last reward (inputs_type reward).")},
		{key: "load_timeout", spec: duration("120s", 0.1, 3600, "Loading the environment takes at most so long.")},
		{key: "reset_timeout", spec: duration("30s", 0.1, 3600, "A reset takes at most so long.")},
		{key: "step_timeout", spec: duration("5s", 0.01, 3600, "A step takes at most so long.")},
		{key: "update_timeout", spec: duration("300s", 0.1, 86400, "The last updates of an episode take at most so long.")},
		{key: "memory_limit", spec: integer(4096, 0, 1_048_576, "MiB that a Python process may use; 0 is no limit.")},
		{key: "network", spec: boolean(false, "Python code may use the network.")},
	}
}

func experimentEnds() []field {
	return []field{
		{key: "on_drop_out", spec: enum(string(DropOutAbort), "When somebody leaves for good. pause: wait up to drop_out_timeout, then end. ai: drop_out_policy takes the seat. continue: the seat's default input from then on. abort: end the session.",
			string(DropOutPause), string(DropOutAI), string(DropOutContinue), string(DropOutAbort))},
		{key: "drop_out_policy", spec: text("The policy that takes the seat; needed with on_drop_out: ai.")},
		{key: "drop_out_timeout", spec: duration("2m", 0, 86400, "on_drop_out: pause waits at most so long.")},
		{key: "on_runner_loss", spec: enum("resume", "When a runner is lost in mid-episode. resume: replay the recorded actions and go on. restart: begin the episode again. abort: end the session.",
			"resume", "restart", "abort")},
		{key: "completion_code", spec: matching(text("Shown at the end; random makes one for each participant."), secretPattern, "letters, digits, \"-\" and \"_\", at most 64")},
		{key: "redirect_url", spec: verified(spec{kind: kindString, max: 2000, doc: "Where the browser goes at the end."}, verifyURL)},
	}
}
