package interpreter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The part of PEP 508 that is allowed: a name, extras, versions, a marker.
const (
	pepName    = `[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`
	pepVersion = `(?:===|~=|==|!=|<=|>=|<|>)[ \t]*[A-Za-z0-9][A-Za-z0-9.*+!_-]*`
)

var (
	dependencyPattern = regexp.MustCompile(`^(` + pepName + `)[ \t]*` +
		`(\[[ \t]*` + pepName + `(?:[ \t]*,[ \t]*` + pepName + `)*[ \t]*\])?[ \t]*` +
		`(\(?[ \t]*` + pepVersion + `(?:[ \t]*,[ \t]*` + pepVersion + `)*[ \t]*\)?)?[ \t]*` +
		`(;[A-Za-z0-9 \t_.'"<>=!~()+*-]+)?$`)
	nameEnds = regexp.MustCompile(`^` + pepName)
	dashes   = regexp.MustCompile(`[-_.]+`)
	blanks   = regexp.MustCompile(`[ \t]+`)

	// What pip takes for a file where one has that name.
	archives = []string{".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".egg"}
)

// cleanDependency returns the requirement without superfluous blanks and its name as
// indexes write it, or says what is wrong with it.
func cleanDependency(text string) (clean, problem string) {
	text = strings.Trim(text, " \t")
	switch {
	case text == "":
		return "", "want a package such as numpy"
	case len(text) > maxDependency:
		return "", fmt.Sprintf("it has %d bytes, at most %d are allowed", len(text), maxDependency)
	case hasControl(text):
		return "", "line breaks and control characters are not allowed"
	case strings.HasPrefix(text, "-"):
		return "", "options of pip are not allowed; settings of an index belong into the runner's pip.conf"
	case strings.Contains(text, "://") || strings.Contains(text, "@"):
		return "", "addresses are not allowed: want a package of the index, such as numpy>=1.26"
	case strings.ContainsAny(text, `/\`) || strings.HasPrefix(text, ".") || strings.HasPrefix(text, "~"):
		return "", "paths are not allowed: files that an experiment needs are shipped beside its config.yaml"
	}
	parts := dependencyPattern.FindStringSubmatch(text)
	if parts == nil || strings.Contains(parts[3], "(") != strings.Contains(parts[3], ")") {
		return "", "want a package, its extras and versions, such as gymnasium[classic-control]>=1.0,<2"
	}
	name := dashes.ReplaceAllString(strings.ToLower(parts[1]), "-")
	for _, ending := range archives {
		if strings.HasSuffix(strings.ToLower(parts[1]), ending) {
			return "", "files are not allowed: want a package of the index"
		}
	}
	clean = name + cleanExtras(parts[2]) + cleanVersions(parts[3])
	if parts[4] != "" {
		clean += "; " + strings.TrimSpace(blanks.ReplaceAllString(parts[4][1:], " "))
	}
	return clean, ""
}

func cleanExtras(text string) string {
	if text == "" {
		return ""
	}
	extras := strings.Split(strings.ToLower(blanks.ReplaceAllString(text[1:len(text)-1], "")), ",")
	slices.Sort(extras)
	return "[" + strings.Join(slices.Compact(extras), ",") + "]"
}

func cleanVersions(text string) string {
	text = strings.Trim(blanks.ReplaceAllString(text, ""), "()")
	if text == "" {
		return ""
	}
	versions := strings.Split(text, ",")
	slices.Sort(versions)
	return strings.Join(slices.Compact(versions), ",")
}

// Package is the name of the package that a dependency asks for, as indexes write it:
// "gymnasium" of "Gymnasium[box2d]>=1.4"; empty where it is none that is allowed.
func Package(dependency string) string {
	clean, _ := cleanDependency(dependency)
	return nameEnds.FindString(clean)
}
