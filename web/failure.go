package web

import "io"

// ErrorPage says what went wrong and what to do next.
type ErrorPage struct {
	Layout
	Status    int    // HTTP
	Text      string // one or two sentences; empty has a default by Status
	NextURL   string // same-origin path; empty is the home page
	NextLabel string
	// Reference finds the request in the server's log; empty shows none.
	Reference string
}

// Error writes an error page.
func (p *Pages) Error(w io.Writer, v ErrorPage) error {
	title, text := errorText(v.Status)
	v.Title = or(v.Title, title)
	v.Text = or(v.Text, text)
	v.NextLabel = or(v.NextLabel, "Go to the experiments")
	v.NextURL = or(v.NextURL, "/")
	return p.page(w, "error", v)
}

func errorText(status int) (title, text string) {
	switch status {
	case 400, 422:
		return "That did not work", "Something in the request was not as expected. Go back and check what you entered."
	case 401:
		return "Please log in", "This page is for people who are logged in."
	case 403:
		return "Not for this account", "Your account may not do that. If the page was open for a long time, reload it and try again."
	case 404, 405:
		return "Nothing here", "There is no page at this address. Links to sessions stop working when the session is over."
	case 409:
		return "Someone was faster", "This was changed in the meantime. Reload the page and try again."
	case 410:
		return "This is over", "What you were looking for has ended."
	case 413:
		return "Too large", "What was sent is larger than what is allowed here."
	case 429:
		return "A little slower, please", "There were too many attempts in a short time. Wait a minute and try again."
	case 503:
		return "Back in a moment", "The server is busy or restarting. Try again in a minute; nothing that you did is lost."
	default:
		return "Something went wrong", "This is our fault, not yours. It has been noted. Try again in a minute."
	}
}
