package persistence

import "time"

// StepChunk is consecutive step records of one episode, column by column: entry
// i of every column belongs to step First+i. Collection step_chunks, _id
// "<episode>:<first, 10 digits>", so that ids sort and a repeated insert is the
// same document.
type StepChunk struct {
	ID        string    `bson:"_id"`
	EpisodeID EpisodeID `bson:"episode_id"`
	SessionID SessionID `bson:"session_id"`
	First     int64     `bson:"first_step"`
	Count     int       `bson:"count"`
	// ReceivedAt is when the recorder got the chunk's last step; server clock.
	ReceivedAt time.Time `bson:"server_received_at"`
	// Offsets are µs on the runner's monotonic clock since step 0 was reported:
	// when the transition was complete.
	Offsets []int64 `bson:"runner_offset_us"`
	// Lateness is µs that the tick began after its deadline; 0 in turn-based play.
	Lateness []int64 `bson:"runner_tick_lateness_us"`
	// Hashes is the first 8 bytes of the SHA-256 of all observations of the step
	// (see docs/DATA.md for the exact bytes), len = 8·Count.
	Hashes []byte `bson:"observation_hashes"`
	// Roles has one entry per role of the episode, in its order.
	Roles []RoleSteps `bson:"roles"`
}

// RoleSteps is one role's columns of a chunk. Where a role has ended, its later
// entries repeat the zero value and Live is false.
type RoleSteps struct {
	Role string `bson:"role"`
	Live []bool `bson:"live"`
	// Observations is one array of Count × shape where all have one dtype and
	// shape, else Observation values one by one; exactly one is set.
	Observations      *Array  `bson:"observations,omitempty"`
	ObservationValues []Value `bson:"observation_values,omitempty"`
	// PolicyActions, Actions: nil at step 0 and where there is none; see Value.
	PolicyActions []Value   `bson:"policy_actions,omitempty"`
	Actions       []Value   `bson:"actions"`
	Sources       []string  `bson:"sources"` // "", "policy", "human", "default", "fallback"
	Rewards       []float64 `bson:"rewards"`
	// HumanRewards is nil at steps where the human gave none.
	HumanRewards   []*float64   `bson:"human_rewards,omitempty"`
	Terminated     []bool       `bson:"terminated"`
	Truncated      []bool       `bson:"truncated"`
	Inputs         []HumanInput `bson:"inputs,omitempty"`          // sparse, in order
	Infos          []Info       `bson:"infos,omitempty"`           // sparse, in order
	PolicyVersions []Versioned  `bson:"policy_versions,omitempty"` // at each change, and at First
	// Waits says after which steps it was another role's turn; nil where it never was.
	Waits []bool `bson:"waits,omitempty"`
	// LegalActions says which actions were legal after a step; sparse, in order: a step
	// without an entry forbade none.
	LegalActions []LegalActions `bson:"legal_actions,omitempty"`
}

// Value is a point of a space: nil, int64, float64, bool, string, Array, []any
// (tuple) or map[string]any (dict) of these. A store returns these types exactly;
// it also takes *Array, int and int32.
type Value = any

// HumanInput is one raw input as it arrived, and the step that used it.
type HumanInput struct {
	Step     int64    `bson:"step"`      // the step it was used for (or would have been)
	Seq      int64    `bson:"seq"`       // the browser's number, from 1
	StepSeen int64    `bson:"step_seen"` // the step on the participant's screen
	Keys     []string `bson:"keys"`      // held, oldest first
	Text     *string  `bson:"text,omitempty"`
	Value    Value    `bson:"value"` // what it was mapped to at that step
	// ClientAt is UTC by the browser's clock; ClientOffset is server minus client,
	// µs, as measured; ReceivedAt is UTC by the server's clock.
	ClientAt     time.Time `bson:"client_at"`
	ClientOffset int64     `bson:"client_offset_us"`
	ReceivedAt   time.Time `bson:"server_received_at"`
}

// Info is what the environment reported beside observation and reward.
type Info struct {
	Step int64    `bson:"step"`
	Info Document `bson:"info"`
}

// LegalActions is the action mask of a discrete action space after a step.
type LegalActions struct {
	Step int64 `bson:"step"`
	// Mask has one byte per action, in the space's order: 1 is legal, 0 is not.
	Mask []byte `bson:"mask"`
}

// Versioned says from which step on a policy had which version.
type Versioned struct {
	Step    int64  `bson:"step"`
	Version string `bson:"version"`
}

// Array is a dense array: numpy dtype name, shape, little-endian row-major bytes.
type Array struct {
	DType string `bson:"dtype"`
	Shape []int  `bson:"shape"`
	Data  []byte `bson:"data"`
}
