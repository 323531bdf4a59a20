package runner

import (
	"sharpie/actors/messages"
	"sharpie/envs"
)

// decide merges human and policy into the final action of a role and names its
// source: the human's value unless it is the default; else the policy's; else the
// default. A human value that is no legal action, and a role for which nothing
// else is usable, are the source "fallback": the policy's action, the default, or
// the first legal action, in this order.
//
// said is the human's reading, nil where no human acts in the role. policy is nil
// where there is no policy, or where it has no opinion.
func decide(r *rolePlan, said *reading, policy envs.Value, mask []bool) (envs.Value, messages.Source) {
	source := messages.Source_SOURCE_NONE
	if said != nil && !said.idle {
		if usable(r, said, mask) {
			return said.action, messages.Source_SOURCE_HUMAN
		}
		source = messages.Source_SOURCE_FALLBACK
	}
	either := func(s messages.Source) messages.Source {
		if source != messages.Source_SOURCE_NONE {
			return source
		}
		return s
	}
	if policy != nil {
		return policy, either(messages.Source_SOURCE_POLICY)
	}
	if rest := r.keys.idle; usable(r, rest, mask) {
		return rest.action, either(messages.Source_SOURCE_DEFAULT)
	}
	if mask != nil {
		return neutral(r.spec.Action, mask), messages.Source_SOURCE_FALLBACK
	}
	return r.neutral, messages.Source_SOURCE_FALLBACK
}

// usable reports whether a reading is a legal action.
func usable(r *rolePlan, said *reading, mask []bool) bool {
	return said.action != nil && legal(r.spec.Action, mask, said.action)
}
