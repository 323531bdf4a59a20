package web

import (
	"io"
	"time"
)

// RegisterPage is the form to make an account, posted to /register with the
// fields name, password, again, key and next.
type RegisterPage struct {
	Layout
	Name        string // as typed
	Key         string // registration key, as typed or from the link
	NeedsKey    bool   // whether a key is asked for
	MinPassword int    // characters; 0 says nothing about it
	Next        string // same-origin path to go on to
	Errors      FieldErrors
}

// LoginPage is the form to log in, posted to /login with the fields name,
// password and next.
type LoginPage struct {
	Layout
	Name   string
	Next   string
	Errors FieldErrors
}

// OncePage is where a one-time link leads: one button, posted to /once/TOKEN,
// so that a program that previews links does not use it up.
type OncePage struct {
	Layout
	Token string
	Name  string // who it logs in; empty where that is not known
}

// ProfilePage shows a user what is known about them. Forms: /profile/password
// with current, password and again; /consents/ID/withdraw.
type ProfilePage struct {
	Layout
	Name           string
	Since          time.Time
	HasPassword    bool // false: a first password can be set without the current one
	MinPassword    int
	Participations []Participation
	Consents       []ConsentView
	Errors         FieldErrors // of the password form
}

// Participation is one experiment that the user took part in.
type Participation struct {
	Link, Name     string
	Since          time.Time
	CompletionCode string // empty until completed
}

// ConsentView is a consent that the user gave.
type ConsentView struct {
	ID          string
	Experiment  string // name; empty for the platform's own
	Text        string // Markdown, exactly what was shown
	GivenAt     time.Time
	WithdrawnAt *time.Time // nil while it is in force
}

// ConsentPage asks for informed consent by itself, posted to /x/LINK/consent
// with consent=agree or consent=decline, and next.
type ConsentPage struct {
	Layout
	Link       string
	Experiment string // name
	Text       string // Markdown; empty shows the platform's DefaultConsent
	TextHash   string // names Text; posted back as consent_hash
	Next       string
}

// Register writes the registration form: GET and POST /register.
func (p *Pages) Register(w io.Writer, v RegisterPage) error {
	v.Title = or(v.Title, "Create an account")
	return p.page(w, "register", v)
}

// Login writes the log-in form: GET and POST /login.
func (p *Pages) Login(w io.Writer, v LoginPage) error {
	v.Title = or(v.Title, "Log in")
	return p.page(w, "login", v)
}

// Once writes the one-button page of a one-time link: GET /once/TOKEN.
func (p *Pages) Once(w io.Writer, v OncePage) error {
	v.Title = or(v.Title, "Log in with this link")
	return p.page(w, "once", v)
}

// Profile writes the user's own page: GET /profile.
func (p *Pages) Profile(w io.Writer, v ProfilePage) error {
	v.Title = or(v.Title, "Your profile")
	return p.page(w, "profile", v)
}

// Consent writes the consent form: GET /x/LINK/consent.
func (p *Pages) Consent(w io.Writer, v ConsentPage) error {
	v.Title = or(v.Title, "Before you take part")
	v.Text = or(v.Text, DefaultConsent)
	return p.page(w, "consent", v)
}
