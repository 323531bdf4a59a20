package http

import (
	"strings"
	"unicode"
)

// commonPasswords are those of at least passwordMin characters that lists of leaked
// ones begin with, and this platform's own name. NIST SP 800-63B, section 3.1.1.2,
// asks to refuse them: they are what is tried first.
const commonPasswords = `
12345678 123456789 1234567890 12345678910 123123123 12341234 11223344 112233445566 87654321 987654321 0987654321 147258369
1234qwer 123qweasd 123456abc 12345qwert 123abc456 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2 q1w2e3r4 q1w2e3r4t5 qwer1234 qwerty12
qwerty123 qwerty1234 qwertyui qwertyuiop asdfghjk asdfghjkl zxcvbnm1 zxcvbnm123 qazwsxedc zaq12wsx asdf1234 asdfasdf qweqweqwe
password password1 password12 password123 password1234 password! passw0rd p@ssword p@ssw0rd passwort passwort1 wachtwoord motdepasse
contraseña changeme changeit letmein1 letmein123 welcome1 welcome123 welkom01 admin123 admin1234 administrator root1234 test1234 testtest
guest123 user1234 default1 secret123 mysecret abc12345 abcd1234 abcdefgh abcdefg1 a1234567 a12345678 aa123456 aa12345678 1a2b3c4d
iloveyou iloveyou1 ilovegod sunshine sunshine1 princess princess1 football football1 baseball baseball1 basketball superman
batman123 starwars trustno1 whatever computer internet michelle jennifer jessica1 danielle samantha charlie1 charlie123
liverpool liverpool1 chelsea1 arsenal1 barcelona manchester corvette mercedes maverick mountain elephant butterfly chocolate
dragon123 monkey123 master123 shadow123 killer123 hunter123 pokemon1 pokemon123 minecraft samsung1 blink182 metallica nirvana1
fuckyou1 victoria caroline alexander veronica sebastian christian elizabeth blahblah hello123 hellohello freedom1
sharpie1 sharpie123 sharpiesharpie`

// commonPassword says whether a password is among the first that anybody would
// try: a common one, whatever the case, one character over and over, or a run of
// the digits or the alphabet.
func commonPassword(password string) bool {
	folded := strings.ToLower(strings.TrimSpace(password))
	for known := range strings.FieldsSeq(commonPasswords) {
		if folded == known {
			return true
		}
	}
	return steady([]rune(folded))
}

// steady says whether every character follows the one before at the same distance.
func steady(text []rune) bool {
	if len(text) < 2 {
		return true
	}
	step := text[1] - text[0]
	if step < -1 || step > 1 {
		return false
	}
	for i := 1; i < len(text); i++ {
		if text[i]-text[i-1] != step || step != 0 && !unicode.IsLetter(text[i]) && !unicode.IsDigit(text[i]) {
			return false
		}
	}
	return true
}

// checkNewPassword returns what is wrong with a password that is being chosen by
// somebody of that name, in a sentence, or ""; the name may be empty.
func checkNewPassword(name, password string) string {
	if problem := checkPassword(password); problem != "" {
		return problem
	}
	switch {
	case commonPassword(password):
		return "This is one of the passwords that are guessed first. Choose another: a few words that don't belong together are easy to remember."
	case name != "" && strings.EqualFold(strings.TrimSpace(password), name):
		return "The password must differ from the name."
	}
	return ""
}
