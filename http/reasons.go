package http

import "sharpie/persistence"

// What participants read when researchers' code failed, by the state of the fault: calm, and without a word
// that they would have to look up. The researcher reads all of it in Admin.
var faultSentences = map[string]string{
	"env_error":      "The game stopped because of an error in it. It is not your fault.",
	"policy_error":   "The game stopped because of an error in one of its computer players. It is not your fault.",
	"hung":           "The game stopped answering, so we ended it. It is not your fault.",
	"out_of_memory":  "The game grew too large for the computer that it ran on, and stopped. It is not your fault.",
	"killed":         "The game ended all at once, without saying why. It is not your fault.",
	"exited":         "The game closed by itself before the end. It is not your fault.",
	"bad_experiment": "The game could not be started. It is not your fault.",
}

// publicReason is the sentence that a participant reads.
func publicReason(r persistence.Reason) string {
	if text, ok := faultSentences[r.Code]; ok {
		return text
	}
	return r.Public
}

// adviceFor says what to do next after a session that did not complete, where
// that is not plain from the reason.
func adviceFor(code string, canRetry bool) string {
	if _, ok := faultSentences[code]; !ok && code != "failed" && code != "internal" {
		return ""
	}
	if canRetry {
		return "You can try again. If it stops again, please tell the person who invited you, and give them the code below."
	}
	return "Please tell the person who invited you, and give them the code below."
}
