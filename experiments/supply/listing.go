package supply

import "encoding/json"

// Where a server answers, below its own prefix.
const (
	ExperimentsPath = "/runner/experiments"
	BundlesPath     = "/runner/bundles/" // and the hash
	// LabelParameter is given once for each label of the node.
	LabelParameter = "label"
	// RefusedHeader marks a refusal as the server's own, not a proxy's.
	RefusedHeader = "Sharpie-Refused"
)

// Bounds of a listing.
const (
	// MaxListed is how many experiments a listing has at most.
	MaxListed = 500
	// MaxListing is how many bytes of definitions it has at most.
	MaxListing = 8 << 20
	// MaxLabels is how many labels a node names at most.
	MaxLabels = 64
)

// Listing is what a node is told to prepare, the newest first.
type Listing struct {
	Experiments []Item `json:"experiments"`
	// LeftOut counts the older ones that were too many; they are played all the same.
	LeftOut int `json:"left_out,omitempty"`
}

// Item is one experiment that is open.
type Item struct {
	Link    string `json:"link"`
	Version int    `json:"version"`
	// Bundle is the hash of its files; empty: it has none.
	Bundle string `json:"bundle,omitempty"`
	// Definition is what experiments.Definition.Canonical wrote.
	Definition json.RawMessage `json:"definition"`
}
