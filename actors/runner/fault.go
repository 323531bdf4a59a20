package runner

import (
	"errors"
	"fmt"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// The codes of Failed.
const (
	CodeBadExperiment = "bad_experiment" // the Start cannot be carried out; the message names the field
	CodeEnvError      = "env_error"      // the environment failed or broke its contract
	CodePolicyError   = "policy_error"   // a policy failed or broke its contract
	CodeHung          = "hung"           // code did not return within its deadline
	CodeBusy          = "busy"           // the slot belongs to another session or episode
	CodeRunnerError   = "runner_error"   // a defect of the runner itself
	CodeRunnerStopped = "runner_stopped" // the runner was stopped from outside
)

// The codes of EpisodeEnded, beside those of Stop; the environment's own end has none.
const (
	CodeMaxSteps       = "max_steps"
	CodeEpisodeTimeout = "episode_timeout"
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
	case phaseUpdate:
		return "update"
	case phaseCheckpoint:
		return "checkpoint"
	}
	return ""
}

// code is the code of a failure in the phase.
func (p phase) code() string {
	switch p {
	case phaseAct, phaseUpdate, phaseCheckpoint:
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
}

// Error is the fault in one line.
func (f *fault) Error() string {
	return fmt.Sprintf("%s in %s %s: %s", f.code, f.phase, f.role, f.message)
}

// badExperiment is the fault of a Start that cannot be carried out.
func badExperiment(err error) *fault {
	return &fault{code: CodeBadExperiment, phase: phaseLoad, message: err.Error()}
}

// loadFault tells arguments that are wrong from environments that do not start.
func loadFault(field string, err error) *fault {
	f := &fault{code: CodeEnvError, phase: phaseLoad, message: fmt.Sprintf("%s: %v", field, err)}
	if errors.Is(err, envs.ErrUnknown) || errors.Is(err, envs.ErrInvalidArgument) {
		f.code = CodeBadExperiment
	}
	return f
}

// failed is the message of a fault.
func (f *fault) failed(episode string, lastStep uint64) *messages.Failed {
	return &messages.Failed{
		EpisodeId: episode, LastStep: lastStep, Code: f.code, Phase: f.phase.String(),
		Role: f.role, Message: f.message, Trace: f.trace,
	}
}
