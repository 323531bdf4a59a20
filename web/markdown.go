package web

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// DefaultConsent is the informed consent shown where an experiment brings none
// of its own. What a participant agreed to is stored word for word.
const DefaultConsent = `You are invited to take part in a research study about how people and computer
programs act together.

- **What you do.** You play short games in your browser, alone, with other people, or with programs.
- **What is recorded.** What you press or type while you play, when you did it, what the game showed,
  and the speed of your connection. Your password is never part of the data.
- **Your choice.** Taking part is voluntary. You can stop at any time, without giving a reason, by
  leaving the page. You can withdraw this consent later on your profile page.
- **Use.** The recordings are used for research. They may be published in a form that doesn't name you.

If something is unclear, ask the person who sent you the link before you go on.`

// markdown turns researchers' texts into safe HTML. Raw HTML is dropped, then
// everything that is not plain text structure is filtered out. Pictures come from
// this server or from inside the text (data:image/…): a picture elsewhere would
// tell a third party who takes part, and the content policy refuses it anyway.
type markdown struct {
	parser goldmark.Markdown
	policy *bluemonday.Policy
}

func newMarkdown() *markdown {
	return &markdown{
		parser: goldmark.New(
			goldmark.WithExtensions(
				extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)),
				extension.Strikethrough,
				extension.NewLinkify(extension.WithLinkifyAllowedProtocols([]string{"http:", "https:", "mailto:"})),
			),
			goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(lowerHeadings{}, 100))),
		),
		policy: newPolicy(),
	}
}

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote",
		"ul", "ol", "li", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("alt", "title").Matching(bluemonday.Paragraph).OnElements("img")
	p.AllowAttrs("src").Matching(ownPicture).OnElements("img")
	p.AllowDataURIImages()
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true) // and rel="noopener" with it
	return p
}

// html renders a text. Its headings begin at level 2: the page has the first.
func (m *markdown) html(source string) (template.HTML, error) {
	var buf bytes.Buffer
	if err := m.parser.Convert([]byte(source), &buf); err != nil {
		return "", fmt.Errorf("render text: %w", err)
	}
	return template.HTML(m.policy.SanitizeBytes(buf.Bytes())), nil // sanitised just now
}

// lowerHeadings moves every heading one level down.
type lowerHeadings struct{}

// Transform implements parser.ASTTransformer.
func (lowerHeadings) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	// the walker returns no error, so Walk doesn't either
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, ok := n.(*ast.Heading); ok && entering {
			h.Level = min(h.Level+1, 6)
		}
		return ast.WalkContinue, nil
	})
}
