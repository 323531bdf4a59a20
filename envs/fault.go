package envs

import "strings"

// State is how an episode ends whose code failed. Participants read a sentence for
// it; researchers read the Fault.
type State string

// The states of a Fault.
const (
	EnvError    State = "env_error"      // the environment's code raised, or broke the contract
	PolicyError State = "policy_error"   // a policy's code raised, or broke the contract
	Hung        State = "hung"           // it did not return within its deadline, and was killed
	OutOfMemory State = "out_of_memory"  // it asked for more memory than it may have
	Killed      State = "killed"         // its process was ended by a signal: a segmentation fault, the kernel
	Exited      State = "exited"         // its process ended itself
	BadLoad     State = "bad_experiment" // it cannot be loaded as the experiment says; the text names the field
)

// Fault is an error of researchers' code, with all that they need to find it.
type Fault struct {
	State State
	// Phase is "load", "reset", "step", "render", "act", "update", "checkpoint" or "close".
	Phase string
	// Role is the role whose policy failed; empty for the environment.
	Role Role
	// Type is the exception's name, such as "ValueError"; empty where there was none.
	Type string
	// Message is one sentence, or a few lines.
	Message string
	// Traceback is where it happened, as the language prints it; empty if unknown.
	Traceback string
	// Log is the last lines that the code printed, at most 16 KiB.
	Log string
}

var _ error = (*Fault)(nil)

// Error is the fault in one line, without traceback and log.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(string(f.State) + " in " + f.Phase)
	if f.Role != "" {
		b.WriteString(" of " + string(f.Role))
	}
	b.WriteString(": ")
	if f.Type != "" {
		b.WriteString(f.Type + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}
