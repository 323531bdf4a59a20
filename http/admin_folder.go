package http

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"sharpie/experiments"
	"sharpie/persistence"
	"sharpie/web"
)

// folderPath takes an experiment's folder, as a zip file, from administrators.
const folderPath = "/admin/experiments/folder"

// folderSaid bounds the lines of progress that are shown.
const folderSaid = 500

// uploadFolder imports the folder in the form's zip file.
func (s *Server) uploadFolder(c *fiber.Ctx, v *visitor) error {
	if s.cfg.Folders == nil {
		return errNoPage
	}
	head, err := c.FormFile("folder")
	if err != nil {
		return s.showAdminExperiments(c, []string{"Choose a zip file first."})
	}
	data, err := readUpload(head)
	if err != nil {
		return err
	}
	name := folderTitle(head.Filename)
	files, err := openFolder(data, s.cfg.Limits.Folder)
	if err != nil {
		return s.showAdminExperiments(c, []string{name + ".zip: " + strings.TrimPrefix(err.Error(), errFolder.Error()+": ")})
	}
	var said []string
	e, fresh, err := s.cfg.Folders.ImportFolder(c.UserContext(), name, files, v.user.Name, func(line string) {
		if len(said) < folderSaid {
			said = append(said, cleanText(line, 400))
		}
	})
	if errors.Is(err, experiments.ErrInvalid) {
		return s.showImported(c, strings.Split(err.Error(), "\n"), said)
	}
	if err != nil {
		return fmt.Errorf("import folder %s: %w", name, err)
	}
	text := fmt.Sprintf("%s is unchanged (version %d).", e.Name, e.Version)
	if fresh {
		text = fmt.Sprintf("%s is imported as version %d.", e.Name, e.Version)
		s.note(c.UserContext(), &persistence.Event{Kind: "admin.experiment.imported", Actor: v.user.Name, Detail: persistence.Document{
			"experiment": e.Link, "version": int64(e.Version), "hash": e.Hash, "bundle": e.BundleHash,
		}})
	}
	s.flash(c, web.FlashSuccess, text)
	return s.seeOther(c, "/admin/experiments/"+e.Link)
}

// folderTitle is the name of a folder, from the name of its zip file.
func folderTitle(file string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	return cleanText(strings.TrimSuffix(base, path.Ext(base)), 100)
}

// largeBodies lets administrators, and nobody else, send what is as large as a
// folder: the body is read before any handler could ask who sends it.
func (s *Server) largeBodies(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	none := fasthttp.RequestConfig{} // the server's own
	if s.cfg.Folders == nil || !h.IsPost() || string(h.RequestURI()) != folderPath {
		return none
	}
	for _, name := range []string{"sharpie-login", "__Host-sharpie-login"} {
		token := string(h.Cookie(name))
		if !wellFormedToken(token) {
			continue
		}
		ctx, cancel := context.WithTimeout(s.base, s.cfg.Limits.Request)
		_, user, err := s.logins.get(ctx, HashToken(token))
		cancel()
		if err == nil && user.Admin {
			return fasthttp.RequestConfig{
				MaxRequestBodySize: s.cfg.Limits.Folder + 64<<10, ReadTimeout: s.cfg.Limits.Import, WriteTimeout: s.cfg.Limits.Import,
			}
		}
	}
	return none
}
