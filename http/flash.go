package http

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"sharpie/web"
)

// flashLife is how long a message waits for the page that shows it.
const flashLife = time.Minute

// flash leaves a message for the next page that this browser opens.
func (s *Server) flash(c *fiber.Ctx, level, text string) {
	data, err := json.Marshal(web.Flash{Level: level, Text: cleanText(text, 500)})
	if err != nil {
		return // two strings always marshal
	}
	value := base64.RawURLEncoding.EncodeToString(data)
	s.setCookie(c, "flash", value+"."+s.flashes.sign(value), flashLife)
}

// takeFlash returns the message that was left, once.
func (s *Server) takeFlash(c *fiber.Ctx) []web.Flash {
	cookie := c.Cookies(s.cookieName(c, "flash"))
	if cookie == "" {
		return nil
	}
	s.setCookie(c, "flash", "", -time.Second)
	value, signature, _ := strings.Cut(cookie, ".")
	if !s.flashes.valid(value, signature) {
		return nil
	}
	data, err := base64.RawURLEncoding.DecodeString(value)
	var f web.Flash
	if err != nil || json.Unmarshal(data, &f) != nil {
		return nil
	}
	return []web.Flash{f}
}
