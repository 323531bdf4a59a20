package web

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// audit lists what is wrong with a page: the rules of accessibility and of the
// content policy that a program can see.
func audit(doc *html.Node) []string {
	a := auditor{ids: map[string]int{}, labels: map[string]bool{}}
	a.collect(doc)
	a.walk(doc, nil)
	if a.h1 != 1 {
		a.fault("%d h1, want one", a.h1)
	}
	if a.mains != 1 {
		a.fault("%d main, want one", a.mains)
	}
	for id, n := range a.ids {
		if n > 1 && !strings.ContainsAny(id, "<>{}") {
			a.fault("id %q appears %d times", id, n)
		}
	}
	return a.faults
}

type auditor struct {
	faults    []string
	ids       map[string]int
	labels    map[string]bool // ids that a label is for
	h1, mains int
}

func (a *auditor) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

func attr(n *html.Node, name string) (string, bool) {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
	if i < 0 {
		return "", false
	}
	return n.Attr[i].Val, true
}

func (a *auditor) collect(n *html.Node) {
	if n.Type == html.ElementNode {
		if id, ok := attr(n, "id"); ok {
			a.ids[id]++
		}
		if f, ok := attr(n, "for"); ok && n.Data == "label" {
			a.labels[f] = true
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		a.collect(c)
	}
}

func (a *auditor) walk(n *html.Node, within []string) {
	if n.Type == html.ElementNode {
		a.element(n, within)
		within = append(slices.Clone(within), n.Data)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		a.walk(c, within)
	}
}

func (a *auditor) element(n *html.Node, within []string) {
	for _, at := range n.Attr {
		if strings.HasPrefix(at.Key, "on") || at.Key == "style" || strings.HasPrefix(at.Key, "hx-on") {
			a.fault("<%s> has the attribute %s, which the content policy refuses", n.Data, at.Key)
		}
	}
	switch n.Data {
	case "html":
		if lang, _ := attr(n, "lang"); lang == "" {
			a.fault("no language")
		}
	case "title":
		if !slices.Contains(within, "svg") && (n.FirstChild == nil || strings.HasPrefix(strings.TrimSpace(n.FirstChild.Data), "·")) {
			a.fault("no title")
		}
	case "h1":
		a.h1++
	case "main":
		a.mains++
	case "script":
		if src, ok := attr(n, "src"); !ok || !strings.HasPrefix(src, "/static/") {
			a.fault("a script that is not a built asset")
		}
	case "style":
		a.fault("an inline style sheet")
	case "img":
		if _, ok := attr(n, "alt"); !ok {
			a.fault("a picture without alt")
		}
	case "form":
		a.form(n)
	case "input", "select", "textarea":
		a.field(n, within)
	case "button", "a":
		if label, _ := attr(n, "aria-label"); label == "" && strings.TrimSpace(textOf(n)) == "" {
			a.fault("a <%s> without words", n.Data)
		}
	case "th":
		if strings.TrimSpace(textOf(n)) == "" {
			a.fault("a table head without words")
		}
	}
}

// form wants the token in every form that changes something.
func (a *auditor) form(n *html.Node) {
	if method, _ := attr(n, "method"); strings.EqualFold(method, "get") {
		return
	}
	var found bool
	var look func(*html.Node)
	look = func(n *html.Node) {
		if name, _ := attr(n, "name"); n.Data == "input" && name == "_csrf" {
			found = true
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			look(c)
		}
	}
	if look(n); !found {
		action, _ := attr(n, "action")
		a.fault("the form to %q has no _csrf", action)
	}
}

func (a *auditor) field(n *html.Node, within []string) {
	typ, _ := attr(n, "type")
	if typ == "hidden" {
		return
	}
	id, _ := attr(n, "id")
	label, _ := attr(n, "aria-label")
	if label == "" && !a.labels[id] && !slices.Contains(within, "label") {
		name, _ := attr(n, "name")
		a.fault("the field %q has no label", name)
	}
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}
