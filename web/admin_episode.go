package web

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// AdminEpisodePage is one episode: GET /admin/sessions/ID/episodes/EPISODE.
type AdminEpisodePage struct {
	Layout
	EpisodeRow
	Session      string
	Link, Name   string // of the experiment
	Version      int
	Environment  string // its source
	CodeVersion  string // of the program that ran it
	BundleHash   string
	Runner       string
	Runs         []RunRow // runners that went on with it
	Replayable   bool
	Interpreter  string // of Python code; empty for built-in environments
	Confinement  string // of Python code: "bubblewrap", or "unconfined: why"
	ReasonCode   string
	ReasonDetail string
	ReasonShown  string // what participants read
	Cast         []CastRow
	Warnings     []string
	Log          string // the end of what the code printed
	Fault        *FaultView
	Others       []EpisodeLink // the session's episodes, to go from one to the next
}

// EpisodeLink leads to another episode of the same session.
type EpisodeLink struct {
	ID     string
	Index  int // 0-based
	Failed bool
}

// RunRow is a runner that went on with an episode after the one before was lost.
type RunRow struct {
	Runner   string
	FromStep int64
	Why      string
}

// CastRow is who acted in a role of an episode.
type CastRow struct {
	Role, Participant    string
	Policy, PolicySource string
	PolicyVersion        string
	InputsType           string
	Return, HumanReturn  float64
}

// FaultView is where the code of an episode failed, for its researcher.
type FaultView struct {
	State     string // "env_error", "hung", …: stateWord says it in words
	Phase     string // "load", "step", …
	Role      string // whose policy; empty: the environment
	Type      string // the exception's name
	Message   string
	Traceback string
}

// CheckpointRow is what a policy had learned, newest of its scope.
type CheckpointRow struct {
	Policy, Role, Scope, Version, Hash string
	Episode, Session                   string
	Step                               int64
	Size                               int64 // bytes
	At                                 time.Time
	Download                           string // same-origin path
}

// PolicyRow is a policy of an experiment.
type PolicyRow struct {
	Role, Name, Source string
	Learns             string // in words; empty: it does not learn
	Version            string // that acted last; empty: unknown
}

// AdminEpisode writes one episode with its faults and what its code printed.
func (p *Pages) AdminEpisode(w io.Writer, v AdminEpisodePage) error {
	v.Title = or(v.Title, "Episode "+v.ID)
	return p.page(w, "admin_episode", v)
}

// faultWord names the state of a fault as people say it.
func faultWord(state string) string {
	switch state {
	case "env_error":
		return "The environment's code failed"
	case "policy_error":
		return "The policy's code failed"
	case "hung":
		return "It did not answer within its deadline, and was ended"
	case "out_of_memory":
		return "It asked for more memory than it may have"
	case "killed":
		return "Its process was killed by a signal"
	case "exited":
		return "Its process ended by itself"
	case "bad_experiment":
		return "It cannot be loaded as the experiment says"
	default:
		return or(state, "It failed")
	}
}

// faultPhase says what was being done.
func faultPhase(phase string) string {
	switch phase {
	case "load":
		return "while the code was loaded"
	case "reset":
		return "while the episode was set up (reset)"
	case "step":
		return "while the environment made a step"
	case "render":
		return "while the picture was drawn (render)"
	case "act":
		return "while a policy chose an action (predict)"
	case "update":
		return "while a policy learned (update)"
	case "checkpoint":
		return "while what was learned was saved"
	case "close":
		return "while the episode was closed"
	default:
		return phase
	}
}

// unconfined is the reason why code ran without walls around it; empty where it
// did not, or nothing is known.
func unconfined(confinement string) string {
	reason, found := strings.CutPrefix(confinement, "unconfined")
	if !found {
		return ""
	}
	return or(strings.TrimSpace(strings.TrimPrefix(reason, ":")), "no reason is known")
}

// sizeText writes a number of bytes for people.
func sizeText(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return plural(int(bytes), "byte", "bytes")
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
}
