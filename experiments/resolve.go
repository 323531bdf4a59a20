package experiments

import (
	"fmt"
	"slices"
	"strings"
)

// resolve looks at what concerns more than one key: it joins policy and
// policies, resolves names, and fills in the defaults that depend on other keys.
// The tree has passed the table.
func (d *decoder) resolve(tree map[string]any) {
	policies := d.joinPolicies(tree)
	d.resolveSource(tree["environment"].(map[string]any), "environment", "environment")
	d.resolveEnvironmentName(tree["environment"].(map[string]any))
	agents, _ := tree["agents"].([]any)
	if agents == nil {
		tree["agents"] = []any{}
		if _, source := tree["environment"].(map[string]any)["source"]; !source {
			d.at("", "missing key agents: only with a source (such as gymnasium:CartPole-v1) it may be left out")
		}
	}
	d.resolveAgents(agents, policies)
	d.resolveExperiment(tree["experiment"].(map[string]any), policies)
}

// joinPolicies puts the single policy first among the policies, and returns
// their names.
func (d *decoder) joinPolicies(tree map[string]any) []string {
	var all []any
	paths := []string{}
	if p, ok := tree["policy"]; ok {
		all, paths = append(all, p), append(paths, "policy")
		delete(tree, "policy")
	}
	if list, ok := tree["policies"].([]any); ok {
		for i, p := range list {
			all, paths = append(all, p), append(paths, fmt.Sprintf("policies[%d]", i))
		}
	}
	if len(all) == 0 {
		return nil
	}
	tree["policies"] = all
	for i, p := range paths {
		if named := join("policies", all[i].(map[string]any)["name"].(string)); d.marks[p] == d.marks[named] && p != "policy" {
			paths[i] = named
		}
		d.written[index("policies", i)] = paths[i]
	}
	var names []string
	for i, p := range all {
		p := p.(map[string]any)
		name := p["name"].(string)
		if slices.Contains(names, name) {
			d.at(paths[i]+".name", "a second policy with the name %q", name)
		}
		names = append(names, name)
		d.resolveSource(p, paths[i], "policy")
	}
	return names
}

// resolveSource wants exactly one of source and filepaths, and the file that is run.
func (d *decoder) resolveSource(object map[string]any, path, main string) {
	_, source := object["source"]
	files, _ := object["filepaths"].(map[string]any)
	switch {
	case source && len(files) > 0:
		d.at(path+".filepaths", "give either source or filepaths, not both")
	case !source && len(files) == 0:
		d.at(path, "missing key source (such as %s), or filepaths of a Python file", map[string]string{"environment": "go:MountainCar-v0", "policy": "go:random"}[main])
	case !source && files[main] == nil:
		d.at(path+".filepaths", "missing key %s: the Python file that is run", main)
	}
}

func (d *decoder) resolveEnvironmentName(env map[string]any) {
	if _, ok := env["name"]; ok {
		return
	}
	if s, ok := env["source"].(string); ok {
		_, env["name"], _ = strings.Cut(s, ":")
		return
	}
	env["name"] = "environment"
}

func (d *decoder) resolveAgents(agents []any, policies []string) {
	seen := map[string]bool{}
	for i, a := range agents {
		a, path := a.(map[string]any), fmt.Sprintf("agents[%d]", i)
		role := a["role"].(string)
		if seen[role] {
			d.at(path+".role", "a second agent with the role %q", role)
		}
		seen[role] = true
		if a["name"] == nil {
			a["name"] = role
		}
		if p, ok := a["policy"].(string); ok {
			d.known(path+".policy", p, policies)
		}
		if a["keyboard_inputs"] == nil {
			a["keyboard_inputs"] = keyMapTree(nil, int64(0))
		}
		d.resolveDisplay(a, path)
	}
}

// resolveDisplay wants a shown key to be a key that counts.
func (d *decoder) resolveDisplay(agent map[string]any, path string) {
	display, _ := agent["keyboard_input_display"].(map[string]any)
	var keys []string
	for _, b := range agent["keyboard_inputs"].(map[string]any)["bindings"].([]any) {
		keys = append(keys, b.(map[string]any)["key"].(string))
	}
	for _, key := range sortedKeys(display) {
		if !slices.Contains(keys, key) {
			d.at(path+".keyboard_input_display."+key, "no such key in keyboard_inputs%s", didYouMean(key, keys))
		}
	}
}

func (d *decoder) resolveExperiment(x map[string]any, policies []string) {
	if p, ok := x["drop_out_policy"].(string); ok {
		d.known("experiment.drop_out_policy", p, policies)
	} else if x["on_drop_out"] == string(DropOutAI) {
		d.at("experiment.on_drop_out", "ai needs the key drop_out_policy: the policy that takes the seat")
	}
	if fps := toFloat(x["target_fps"]); x["wait_for_inputs"] == false && fps < 0.1 {
		d.at("experiment.target_fps", "real time (wait_for_inputs: false) wants 0.1 to 240 steps per second, got %v", fps)
	}
}

func (d *decoder) known(path, name string, policies []string) {
	if slices.Contains(policies, name) {
		return
	}
	if len(policies) == 0 {
		d.at(path, "no policy %q: the file has no key policies", name)
		return
	}
	d.at(path, "no policy %q%s; the policies are %s", name, didYouMean(name, policies), quoteAll(policies))
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}
