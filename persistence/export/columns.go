package export

// column is one column of a file. The text is the file README.md's, and must say
// unit and clock.
type column struct{ name, text string }

// table is one file.
type table struct {
	name    string // without extension
	text    string
	columns []column
}

// tables lists the files in the order in which they are written.
func tables() []table {
	return []table{experimentColumns, participantColumns, sessionColumns, eventColumns, episodeColumns, stepColumns}
}

var experimentColumns = table{"experiments", "One row per version of the experiment, oldest first.", []column{
	{"experiment", "Link of the experiment."},
	{"version", "Number of the version, from 1."},
	{"name", "Its name, as participants see it."},
	{"hash", "SHA-256 of the definition and the bundle, hex."},
	{"bundle_hash", "SHA-256 of the files that it ships; empty where there are none."},
	{"server_imported_at", "When it was imported, UTC, server clock."},
	{"definition", "The complete definition, every default filled in (JSON)."},
	{"source", "The YAML text as it was imported."},
}}

var participantColumns = table{"participants", "One row per participant, oldest first. Ids are pseudonyms.", []column{
	{"participant_id", "Pseudonym of the person in this experiment; another in every experiment."},
	{"experiment", "Link of the experiment."},
	{"server_created_at", "When the person first entered the experiment, UTC, server clock."},
	{"completed", "Whether the person sat in a completed session until its end."},
}}

var sessionColumns = table{"sessions", "One row per session, oldest first.", []column{
	{"session_id", "Id of the session."},
	{"experiment", "Link of the experiment."},
	{"experiment_version", "Version that the session ran."},
	{"room", "Name by which its participants met; empty for none."},
	{"phase", "Phase that it is in, or ended in."},
	{"reason_code", "Why it ended; empty while it runs."},
	{"reason_detail", "The same in full."},
	{"episodes", "Episodes begun."},
	{"finished", "Whether nothing more will be written for it."},
	{"server_opened_at", "When it was opened, UTC, server clock."},
	{"server_started_at", "When its first episode was about to start, UTC, server clock; null before."},
	{"server_ended_at", "When it ended, UTC, server clock; null before."},
	{"seats", "List of role, participant_id, server_joined_at, server_left_at (JSON)."},
}}

var eventColumns = table{"events", "One row per event of the sessions, by session, oldest first in each.", []column{
	{"event_id", "Id of the event."},
	{"server_at", "When it happened, UTC, server clock."},
	{"kind", "What happened: phase, drop_out, …"},
	{"actor", "Who did it: a participant_id, a role, participant (of the role), system, or staff."},
	{"session_id", "Id of the session."},
	{"episode_id", "Id of the episode, where it belongs to one."},
	{"role", "Role, where it belongs to one."},
	{"detail", "What else is known, depending on the kind (JSON)."},
}}

var episodeColumns = table{"episodes", "One row per episode, oldest first.", []column{
	{"episode_id", "Id of the episode."},
	{"session_id", "Id of the session."},
	{"episode_index", "Position within the session, from 0."},
	{"attempt", "0, and one more each time that the episode had to be begun again."},
	{"experiment", "Link of the experiment."},
	{"experiment_version", "Version that it ran."},
	{"status", "running, terminated, truncated, aborted or failed."},
	{"reason_code", "Why it ended, where that is not the environment's doing."},
	{"reason_detail", "The same in full."},
	{"steps", "Transitions. Step records are one more: step 0 is the reset."},
	{"stored_steps", "Step records that are stored."},
	{"seed", "Seed of the reset, 0 to 18446744073709551615."},
	{"replayable", "Whether seed and final actions reproduce the episode."},
	{"environment", "Source of the environment."},
	{"environment_version", "Version of the environment's code."},
	{"code_version", "Version of the runner's program."},
	{"bundle_hash", "Hash of the files that were used; empty where there were none."},
	{"runner_id", "Runner that began it."},
	{"runs", "Runners that went on with it, each after the one before was lost, in order: runner_id, incarnation, from_step (the last step that it replayed), server_at, why (JSON); null where there was none."},
	{"runner_started_at", "When step 0 was complete, UTC, runner clock."},
	{"server_started_at", "When the server learned of it, UTC, server clock."},
	{"server_ended_at", "When the server learned of its end, UTC, server clock; null before."},
	{"roles", "List of role, participant_id, policy, policy_source, policy_version, inputs_type, return, human_return (JSON)."},
}}

var stepColumns = table{"steps", "One row per step and role, by episode, then step, then role.", []column{
	{"session_id", "Id of the session."},
	{"episode_id", "Id of the episode."},
	{"episode_index", "Position of the episode within the session, from 0."},
	{"attempt", "Attempt at the episode."},
	{"step", "Number of the step; 0 is the reset, step n the transition that led to observation n."},
	{"role", "Role that the row is about."},
	{"participant_id", "Who sat in the role when the episode began; null for nobody."},
	{"live", "Whether the role was live before the step; else the rest of the row is empty of meaning."},
	{"source", "Where action comes from: policy, human, default, fallback; empty at step 0."},
	{"action", "Final action, given to the environment (JSON)."},
	{"policy_action", "What the policy wanted (JSON); null where there is none."},
	{"observation", "What the role observed after the step (JSON)."},
	{"reward", "The environment's reward for the step."},
	{"human_reward", "Reward given by the participant for the transition shown before the step; null for none."},
	{"terminated", "Whether the role's task ended with the step."},
	{"truncated", "Whether it was cut short with the step."},
	{"info", "What the environment reported beside it (JSON); null for nothing."},
	{"policy_version", "Version of the role's policy at the step; null where there is none."},
	{"waits", "Whether it was another role's turn after the step."},
	{"legal_actions", "Which actions were legal after the step: one 1 or 0 per action (JSON); null where all were."},
	{"inputs", "Raw inputs that arrived since the step before, oldest first: seq, step_seen, keys, text, value, client_at (client clock), client_offset_us (server minus client), server_received_at (JSON)."},
	{"runner_offset_us", "µs since step 0, monotonic, runner clock: when the transition was complete."},
	{"runner_tick_lateness_us", "µs that the step began after its deadline, runner clock; 0 in turn-based play."},
	{"observation_hash", "First 8 bytes of the SHA-256 of all observations of the step, hex; the same in the rows of all roles."},
	{"server_received_at", "When the server had the chunk that the step is in, UTC, server clock."},
}}
