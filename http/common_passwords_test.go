package http

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPasswordsThatAreTriedFirstAreRefused(t *testing.T) {
	for _, bad := range []string{
		"password", "Password", "PASSWORD1", " password1 ", "12345678", "qwertyuiop", "iloveyou", "P@ssw0rd",
		"aaaaaaaa", "7777777777", "23456789", "98765432", "abcdefghij", "hgfedcba", "sharpie1",
	} {
		if problem := checkNewPassword("Ada", bad); !strings.Contains(problem, "guessed first") {
			t.Errorf("the password %q is answered with %q, want a refusal", bad, problem)
		}
	}
	for _, bad := range []string{"ada.lovelace", "Ada.Lovelace"} {
		if problem := checkNewPassword("ada.lovelace", bad); problem != "The password must differ from the name." {
			t.Errorf("the password %q of ada.lovelace is answered with %q", bad, problem)
		}
	}
	for _, good := range []string{"correct horse", "quite a long password", "motorboat", "12345678a!", "aaaaaaab", "ÄÖÜäöüßß"} {
		if problem := checkNewPassword("Ada", good); problem != "" {
			t.Errorf("the password %q is refused: %s", good, problem)
		}
	}
}

// A password that was chosen before it was refused goes on to work.
func TestOldPasswordsAreStillOnes(t *testing.T) {
	if problem := checkPassword("password"); problem != "" {
		t.Errorf("whoever has the password \"password\" cannot log in any more: %s", problem)
	}
}

func TestTheListOfCommonPasswordsIsOfUse(t *testing.T) {
	seen := map[string]bool{}
	for known := range strings.FieldsSeq(commonPasswords) {
		switch {
		case utf8.RuneCountInString(known) < passwordMin:
			t.Errorf("%q is too short anyway", known)
		case known != strings.ToLower(known):
			t.Errorf("%q is never found: passwords are compared in lower case", known)
		case seen[known]:
			t.Errorf("%q is in the list twice", known)
		}
		seen[known] = true
	}
}
