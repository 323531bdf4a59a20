package interpreter

import (
	"errors"
	"strings"
	"testing"

	"sharpie/envs"
)

func TestWhatIsRefusedNamesTheField(t *testing.T) {
	many := make([]string, maxDependencies+1)
	for i := range many {
		many[i] = "numpy"
	}
	with := func(d ...string) Requirement { return Requirement{Dependencies: d} }
	for _, test := range []struct {
		name string
		r    Requirement
		want string
	}{
		{"an option", with("numpy", "--index-url=http://evil"), `dependencies[1] "--index-url=http://evil": options of pip are not allowed`},
		{"a short option", with("-rrequirements.txt"), "dependencies[0]"},
		{"an option behind blanks", with("  -e ."), "options of pip"},
		{"an option after the name", with("numpy --pre"), "want a package"},
		{"an address", with("https://evil/x.whl"), "addresses are not allowed"},
		{"a named address", with("x @ https://evil/x.whl"), "addresses are not allowed"},
		{"a repository", with("git+ssh://git@host/x"), "addresses are not allowed"},
		{"a path", with("./evil"), "paths are not allowed"},
		{"an absolute path", with("/tmp/evil"), "paths are not allowed"},
		{"a home path", with("~evil"), "paths are not allowed"},
		{"another path", with(`..\evil`), "paths are not allowed"},
		{"a file", with("evil.whl"), "files are not allowed"},
		{"a line break", with("numpy\n--pre"), "line breaks"},
		{"a carriage return", with("numpy\r-e"), "line breaks"},
		{"a line separator", with("numpy\u2028x"), "line breaks"},
		{"a zero", with("numpy\x00"), "line breaks"},
		{"a variable", with("${HOME}"), "want a package"},
		{"a command", with("numpy;$(reboot)"), "want a package"},
		{"a hash", with("numpy==1 --hash=sha256:00"), "want a package"},
		{"nothing", with("numpy", " "), "dependencies[1]"},
		{"a parenthesis", with("numpy(>=1"), "want a package"},
		{"a version alone", with(">=1"), "want a package"},
		{"no ASCII", with("nümpy"), "want a package"},
		{"a long one", with(strings.Repeat("a", maxDependency+1)), "at most 200 are allowed"},
		{"many", with(many...), "at most 200 are allowed"},
		{"a relative path", Requirement{Path: "venv/bin/python"}, "relative to a folder that a runner does not have"},
		{"a path above", Requirement{Path: "../python"}, "interpreter"},
		{"another's home", Requirement{Path: "~root/python"}, "interpreter"},
		{"a path of two lines", Requirement{Path: "/usr/bin/python\n"}, ""},
		{"a path with a line break", Requirement{Path: "/usr/\nbin/python"}, "line breaks"},
		{"a long path", Requirement{Path: "/" + strings.Repeat("a", maxPath)}, "at most 4096"},
		{"two", Requirement{Path: "/usr/bin/python3", Conda: "zoo"}, "exclude each other"},
		{"a conda option", Requirement{Conda: "--help"}, "conda_environment"},
		{"a conda path", Requirement{Conda: "/opt/zoo"}, "its folder is named with interpreter"},
		{"an old Python", Requirement{Version: "3.7"}, "3.8 or newer is needed"},
		{"Python 2", Requirement{Version: "2.7"}, "python_version"},
		{"a lost zero", Requirement{Version: "3.1"}, `if 3.10 was meant, write it in quotes`},
		{"a range", Requirement{Version: ">=3.10"}, "python_version"},
		{"a version and more", Requirement{Version: "3.11; reboot"}, "python_version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.r.Check()
			if test.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if !errors.Is(err, envs.ErrInvalidArgument) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Check() = %v, want one that says %q", err, test.want)
			}
			if err != nil && len(err.Error()) > 600 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestWhatMeansTheSameHasTheSameHash(t *testing.T) {
	same := []Requirement{
		{Version: "3.11", Dependencies: []string{"gymnasium[classic-control,toy-text]>=1.0,<2", "numpy"}},
		{Version: " 3.11", Dependencies: []string{"NumPy", "Gymnasium [toy-text, Classic-Control] (< 2, >=1.0)", "numpy"}},
	}
	if same[0].Hash() != same[1].Hash() {
		t.Errorf("%s and %s have different hashes", same[0], same[1])
	}
	others := []Requirement{
		{}, {Version: "3.11"}, {Version: "3.12"}, {Path: "/usr/bin/python3"}, {Conda: "zoo"}, {Dependencies: []string{"numpy"}},
		{Dependencies: []string{"numpy==1.0"}}, {Dependencies: []string{"numpy; os_name == 'posix'"}}, same[0],
	}
	seen := map[string]Requirement{}
	for _, r := range others {
		if err := r.Check(); err != nil {
			t.Errorf("%s is refused: %v", r, err)
		}
		if twin, ok := seen[r.Hash()]; ok {
			t.Errorf("%s and %s have the same hash", r, twin)
		}
		seen[r.Hash()] = r
	}
}

func TestDependenciesAsGalleriesWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"numpy":                              "numpy",
		"opencv_python.Headless":             "opencv-python-headless",
		"gymnasium[toy-text]":                "gymnasium[toy-text]",
		"torch >= 2.0, < 3":                  "torch<3,>=2.0",
		"numpy ==1.26.*":                     "numpy==1.26.*",
		"pkg~=1.4.2":                         "pkg~=1.4.2",
		"pkg===1!2.0+local":                  "pkg===1!2.0+local",
		"pkg (>=1)":                          "pkg>=1",
		"pywin32; os_name=='nt'":             "pywin32; os_name=='nt'",
		`tomli>=2; python_version < "3.11"`:  `tomli>=2; python_version < "3.11"`,
		"web.py":                             "web-py",
		"x;(os_name == 'a') or extra == 'b'": "x; (os_name == 'a') or extra == 'b'",
	} {
		got, problem := cleanDependency(text)
		if got != want {
			t.Errorf("%q became %q (%s), want %q", text, got, problem, want)
		}
	}
}

func FuzzDependency(f *testing.F) {
	f.Add("gymnasium[classic-control]>=1.0; os_name == 'posix'")
	f.Add("-e ./evil")
	f.Fuzz(func(t *testing.T, text string) {
		clean, problem := cleanDependency(text)
		if (clean == "") == (problem == "") {
			t.Fatalf("%q gave %q and %q", text, clean, problem)
		}
		if problem != "" {
			return
		}
		if strings.HasPrefix(clean, "-") || strings.ContainsAny(clean, "/\\@\n\r\x00$`") {
			t.Errorf("%q passed as %q", text, clean)
		}
		if again, _ := cleanDependency(clean); again != clean {
			t.Errorf("%q became %q, and that %q", text, clean, again)
		}
	})
}
