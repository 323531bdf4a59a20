package web

import "io"

// HomePage lists the experiments that are open.
type HomePage struct {
	Layout
	Experiments []ExperimentCard
	Running     []RunningGame // in which the user has a seat
}

// ExperimentCard is an open experiment on the home page.
type ExperimentCard struct {
	Link    string // slug: the card leads to /x/LINK
	Name    string
	Summary string // one sentence, plain text
	// Environment is the source of the environment ("go:MountainCar-v0"); it
	// chooses the drawing on the card.
	Environment string
	Players     int // seats for people
	Rounds      int
	TurnBased   bool
	Waiting     int // people waiting for partners right now
}

// RunningGame is a session that goes on, with a seat that is kept for the user.
type RunningGame struct {
	Name string // of the experiment
	URL  string // of the play page
}

// Home writes the list of open experiments: GET /.
func (p *Pages) Home(w io.Writer, v HomePage) error {
	v.Title = or(v.Title, "Experiments")
	return p.page(w, "home", v)
}
