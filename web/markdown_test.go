package web

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarkdownIsRendered(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"paragraph", "Hello *you* and **all**", "<p>Hello <em>you</em> and <strong>all</strong></p>\n"},
		{"headings begin at level 2", "# Top\n\n###### Deep", "<h2>Top</h2>\n<h6>Deep</h6>\n"},
		{"list", "- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"},
		{"link elsewhere opens apart", "[x](https://example.org/a)", `<p><a href="https://example.org/a" rel="noreferrer noopener" target="_blank">x</a></p>` + "\n"},
		{"link here stays", "[x](/x/tag)", `<p><a href="/x/tag">x</a></p>` + "\n"},
		{"mail", "[x](mailto:a@example.org)", `<p><a href="mailto:a@example.org">x</a></p>` + "\n"},
		{"own picture", "![A hill](/static/hill.png)", `<p><img src="/static/hill.png" alt="A hill"></p>` + "\n"},
		{"picture within", "![Dot](data:image/png;base64,iVBORw0KGgo=)", `<p><img src="data:image/png;base64,iVBORw0KGgo=" alt="Dot"></p>` + "\n"},
		{"table", "| a |\n|:-:|\n| b |", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>b</td>\n</tr>\n</tbody>\n</table>\n"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newMarkdown().html(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestMarkdownRefusesMarkup(t *testing.T) {
	for _, in := range []string{
		`<script>alert(1)</script>`,
		`<img src=x onerror=alert(1)>`,
		`<svg onload=alert(1)>`,
		`<a href="javascript:alert(1)">x</a>`,
		`[x](javascript:alert(1))`,
		`[x](JaVaScRiPt:alert(1))`,
		`[x](data:text/html;base64,PHNjcmlwdD4=)`,
		`[x](vbscript:x)`,
		`![x](javascript:alert(1))`,
		`![x](data:image/svg+xml;base64,PHN2Zy8+)`,
		`![x](https://tracker.example/pixel.png)`,
		`![x](//tracker.example/pixel.png)`,
		`![x](" onerror="alert(1))`,
		`<iframe src="https://evil.example"></iframe>`,
		`<form action="/logout"><button>x</button></form>`,
		`<style>body{display:none}</style>`,
		`<p style="position:fixed">x</p>`,
		`<base href="https://evil.example/">`,
		`<meta http-equiv="refresh" content="0;url=https://evil.example">`,
		"[x]: javascript:alert(1)\n\n[x]",
		`<https://ok.example/"onmouseover="alert(1)>`,
		"```html\n<script>alert(1)</script>\n```",
	} {
		got, err := newMarkdown().html(in)
		if err != nil {
			t.Fatal(err)
		}
		page := strings.ToLower(string(got))
		for _, bad := range []string{"<script", "<svg", "<iframe", "<form", "<button", "<style", "<base", "<meta", "onerror=\"", "onmouseover=\"", " style=", "href=\"javascript", "href=\"data", "href=\"vbscript", "src=\"javascript", "tracker.example", "image/svg"} {
			if strings.Contains(page, bad) {
				t.Errorf("%q became %q, which holds %q", in, got, bad)
			}
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	f.Add("# Hello\n\n[x](https://example.org) ![y](/a.png)")
	f.Add(`<a href="javascript:alert(1)">`)
	md := newMarkdown()
	f.Fuzz(func(t *testing.T, in string) {
		got, err := md.html(in)
		if err != nil {
			t.Fatal(err)
		}
		if page := strings.ToLower(string(got)); strings.Contains(page, "<script") || strings.Contains(page, `="javascript:`) {
			t.Errorf("%q became %q", in, got)
		}
	})
}
