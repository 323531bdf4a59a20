package runner

import (
	"errors"
	"fmt"
	"strings"

	"sharpie/actors/messages"
	"sharpie/agents"
	"sharpie/envs"
	"sharpie/experiments"
)

// The codes of Failed, beside the states of an envs.Fault.
const (
	CodeBadExperiment = "bad_experiment" // the Start cannot be carried out; the message names the field
	CodeEnvError      = "env_error"      // the environment failed or broke its contract
	CodePolicyError   = "policy_error"   // a policy failed or broke its contract
	CodeHung          = "hung"           // code did not return within its deadline
	CodeBusy          = "busy"           // the slot belongs to another session or episode
	CodeRunnerError   = "runner_error"   // a defect of the runner itself
	CodeRunnerStopped = "runner_stopped" // the runner was stopped from outside

	CodeNotReplayable    = "not_replayable"    // the environment says that its steps cannot be taken again
	CodeReplayMismatch   = "replay_mismatch"   // the recorded steps came out differently; the message names the step
	CodeReplayIncomplete = "replay_incomplete" // the recorded steps did not all come, in order and in time
	CodeUnknownEpisode   = "unknown_episode"   // the runner does not have the episode, or only the beginning of its replay
)

// The codes of EpisodeEnded, beside those of Stop; the environment's own end has none.
const (
	CodeMaxSteps       = "max_steps"
	CodeEpisodeTimeout = "episode_timeout"
	CodeLinkLost       = "link_lost" // the session was out of reach for longer than Config.LinkGrace
)

// phase is what a loop is doing; Failed names it.
type phase uint8

const (
	phaseIdle phase = iota
	phaseLoad
	phaseReset
	phaseStep
	phaseRender
	phaseAct
	phaseUpdate
	phaseCheckpoint
	phaseLastUpdate // an update after the last step, which has a deadline of its own
)

// String is the phase's name in Failed.
func (p phase) String() string {
	switch p {
	case phaseLoad:
		return "load"
	case phaseReset:
		return "reset"
	case phaseStep:
		return "step"
	case phaseRender:
		return "render"
	case phaseAct:
		return "act"
	case phaseUpdate, phaseLastUpdate:
		return "update"
	case phaseCheckpoint:
		return "checkpoint"
	}
	return ""
}

// code is the code of a failure in the phase.
func (p phase) code() string {
	switch p {
	case phaseAct, phaseUpdate, phaseLastUpdate, phaseCheckpoint:
		return CodePolicyError
	case phaseIdle:
		return CodeRunnerError
	}
	return CodeEnvError
}

// fault is why an episode cannot go on.
type fault struct {
	code    string
	phase   phase
	role    string
	message string
	trace   string
	// kind is the exception's name, log the last that the code printed; of code that
	// runs in a process of its own.
	kind, log string
	// where is the phase as the code's process names it; empty: phase.
	where string
	// elsewhere: this machine lacks what another one may have.
	elsewhere bool
	// soon: and is about to have it.
	soon bool
}

// Error is the fault in one line.
func (f *fault) Error() string {
	return fmt.Sprintf("%s in %s %s: %s", f.code, f.place(), f.role, f.message)
}

// place is the phase's name in Failed.
func (f *fault) place() string {
	if f.where != "" {
		return f.where
	}
	return f.phase.String()
}

// faultOf is what an error in a phase amounts to: an envs.Fault says itself what it
// is, wherever it was found; role is the agent's whose code ran, "" for none.
func faultOf(p phase, role string, err error) *fault {
	f := &fault{code: p.code(), phase: p, role: role, message: err.Error()}
	h := new(envs.Fault)
	if !errors.As(err, &h) {
		return f
	}
	f.code, f.where = state(h.State, f.code), tail(h.Phase, maxName)
	f.kind, f.message = tail(h.Type, maxName), tail(h.Message, maxTrace)
	f.trace, f.log = tail(h.Traceback, maxTrace), tail(h.Log, maxLog)
	if h.Role == "" && h.State != envs.PolicyError {
		f.role = ""
	}
	return f
}

// state is the code of a Fault's state; otherwise for a state that there is not.
func state(s envs.State, otherwise string) string {
	switch s {
	case envs.EnvError, envs.PolicyError, envs.Hung, envs.OutOfMemory, envs.Killed, envs.Exited, envs.BadLoad:
		return string(s)
	}
	return otherwise
}

// maxTrace and maxLog bound what a Failed and an EpisodeEnded carry, in bytes.
const (
	maxName  = 200
	maxTrace = 16 << 10
	maxLog   = 64 << 10
)

// tail is the last n bytes of a text, as valid UTF-8.
func tail(s string, n int) string {
	return strings.ToValidUTF8(s[max(len(s)-n, 0):], "")
}

// badExperiment is the fault of a Start that cannot be carried out.
func badExperiment(err error) *fault {
	return &fault{code: CodeBadExperiment, phase: phaseLoad, message: err.Error()}
}

// loadFault tells arguments that are wrong from environments that do not start.
func loadFault(field string, err error) *fault {
	f := faultOf(phaseLoad, "", fmt.Errorf("%s: %w", field, err))
	if errors.Is(err, envs.ErrUnknown) || errors.Is(err, envs.ErrInvalidArgument) {
		f.code = CodeBadExperiment
	}
	f.elsewhere, f.soon = lacks(err), errors.Is(err, experiments.ErrNotYet)
	return f
}

// lacks tells what is wrong with this machine from what is wrong with an experiment:
// its sources were known to the server that checked it.
func lacks(err error) bool {
	return errors.Is(err, experiments.ErrNotHere) || errors.Is(err, envs.ErrUnknown) || errors.Is(err, agents.ErrUnknown)
}

// failed is the message of a fault.
func (f *fault) failed(episode string, lastStep uint64) *messages.Failed {
	return &messages.Failed{
		EpisodeId: episode, LastStep: lastStep, Code: f.code, Phase: f.place(),
		Role: f.role, Message: f.message, Trace: f.trace, Type: f.kind, Log: f.log, Elsewhere: f.elsewhere, Soon: f.soon,
	}
}
