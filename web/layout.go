package web

import "time"

// Layout is what every page has around its content. Page view models embed it.
type Layout struct {
	// Title is the page's name, without the site's. Empty: the page's own default.
	Title string
	// User is who is logged in; nil is nobody.
	User *UserView
	// CSRF is the token that every form carries in the field _csrf, and scripts
	// in the header X-CSRF-Token.
	CSRF string
	// Path is the path and query of this page, for "log in and come back".
	Path string
	// Flash is messages about what was just done, shown once.
	Flash []Flash
	// Now is the server's clock, for "2 minutes ago"; zero shows dates alone.
	Now time.Time
}

// UserView is who is logged in.
type UserView struct {
	Name  string
	Admin bool
}

// Flash levels.
const (
	FlashSuccess = "success"
	FlashInfo    = "info"
	FlashWarning = "warning"
	FlashDanger  = "danger"
)

// Flash is one message above the page's content.
type Flash struct {
	Level string // one of the Flash constants; others are shown as info
	Text  string // one or two sentences, plain text
}

// FieldErrors maps a form's field to what is wrong with it, one sentence each.
// The field "" is about the form as a whole.
type FieldErrors map[string]string
