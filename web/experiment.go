package web

import (
	"io"
	"slices"
)

// ExperimentPage is where a participant decides to take part. Its form is
// posted to /x/LINK/join with role, room, and consent=agree where NeedsConsent.
// A participant with a seat in a running session sees "go on" instead.
type ExperimentPage struct {
	Layout
	Link         string
	Name         string
	Summary      string // one sentence
	Description  string // Markdown
	Instructions string // Markdown
	Environment  string // source, chooses the drawing
	Open         bool   // false: disabled, or the server is stopping
	Closed       string // where not Open: why, one sentence; empty has a default
	TurnBased    bool
	Rounds       int
	Seats        []SeatChoice // every seat for people
	Programs     []string     // what the roles are called that programs play
	Role         string       // chosen; "" is any free one
	Room         string       // as in the link or as typed
	ShareURL     string       // absolute, for partners; empty with one seat
	NeedsConsent bool         // not given yet: the text is on this page
	Consent      string       // Markdown; empty shows the platform's DefaultConsent
	ConsentHash  string       // names Consent; posted back as consent_hash
	Lobby        LobbyLine
	// Resume is the play page of the session in which this participant has a
	// seat already ("/s/ID"); empty where there is none.
	Resume string
	Errors FieldErrors // fields "role", "room", "consent", ""
}

// SeatChoice is a role that a participant may ask for.
type SeatChoice struct {
	Role, Name, Description string
	Keys                    []KeyView
}

// KeyView is a control: the browser's KeyboardEvent.key, what the key cap
// shows, and what it does.
type KeyView struct {
	Key, Symbol, Label string
}

// LobbyLine says who is there; GET /x/LINK/lobby?room= returns it alone and the
// experiment page asks for it every few seconds.
type LobbyLine struct {
	Waiting int // people waiting for partners
	Playing int // sessions running
	Seats   int // seats for people in one session
}

// PlayPage is everything from the lobby to the end; the browser code fills it
// from the socket.
type PlayPage struct {
	Layout
	Session      string // the page is /s/SESSION
	Link         string // of the experiment
	Name         string // of the experiment
	Role         string // this participant's, as people say it
	Instructions string // Markdown, shown beside the picture
	ShareURL     string // absolute; empty with one seat
	Keys         []KeyView
	Rounds       int
	Roles        []string // what every role is called, in the order of the definition
}

// ThanksPage ends a session, whichever way. "Try again" posts to /x/LINK/join
// with role and room.
type ThanksPage struct {
	Layout
	Link, Name  string
	Completed   bool
	Reason      string // where not Completed: what happened, one sentence
	Advice      string // where not Completed: what to do next; empty: nothing beside the buttons
	Reference   string // with Advice: what to name when telling somebody
	Text        string // Markdown of the experiment
	Code        string // completion code
	RedirectURL string // http or https; other schemes are not shown
	Role, Room  string // for trying again
	CanRetry    bool
	// CanPlayAgain: Completed, and the experiment is open.
	CanPlayAgain bool
}

// controlsOf lists the keys per seat; once and without a name where every seat
// has the same ones.
func controlsOf(seats []SeatChoice) []SeatChoice {
	var out []SeatChoice
	for _, s := range seats {
		if len(s.Keys) > 0 {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil
	}
	for _, s := range out {
		if !slices.Equal(s.Keys, out[0].Keys) {
			return out
		}
	}
	return []SeatChoice{{Keys: out[0].Keys}}
}

// Experiment writes the page that leads into an experiment: GET /x/LINK.
func (p *Pages) Experiment(w io.Writer, v ExperimentPage) error {
	v.Title = or(v.Title, v.Name, "Experiment")
	v.Consent = or(v.Consent, DefaultConsent)
	return p.page(w, "experiment", v)
}

// Lobby writes the line about who is there, without a page around it:
// GET /x/LINK/lobby.
func (p *Pages) Lobby(w io.Writer, v LobbyLine) error {
	return p.render(w, "experiment", "lobby-line", v)
}

// Play writes the play page: GET /s/SESSION.
func (p *Pages) Play(w io.Writer, v PlayPage) error {
	v.Title = or(v.Title, v.Name, "Experiment")
	return p.page(w, "play", v)
}

// Thanks writes the page after a session: GET /s/SESSION/thanks.
func (p *Pages) Thanks(w io.Writer, v ThanksPage) error {
	if v.Completed {
		v.Title = or(v.Title, "Thank you")
	}
	v.Title = or(v.Title, "This session has ended")
	return p.page(w, "thanks", v)
}
