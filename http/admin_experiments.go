package http

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"sharpie/experiments"
	"sharpie/persistence"
	"sharpie/web"
)

// maxFiles bounds the files of one upload.
const maxFiles = 50

// adminExperiments lists the experiments and takes uploads.
func (s *Server) adminExperiments(c *fiber.Ctx, _ *visitor) error {
	return s.showAdminExperiments(c, nil)
}

func (s *Server) showAdminExperiments(c *fiber.Ctx, problems []string) error {
	return s.showImported(c, problems, nil)
}

// showImported lists the experiments below what an import found wrong, and did.
func (s *Server) showImported(c *fiber.Ctx, problems, said []string) error {
	all, err := s.cfg.Store.LatestExperiments(c.UserContext())
	if err != nil {
		return fmt.Errorf("list experiments: %w", err)
	}
	live, err := s.liveByExperiment(c)
	if err != nil {
		return err
	}
	v := web.AdminExperimentsPage{
		Layout: s.layout(c), UploadErrors: problems, ImportLog: said,
		Folders: s.cfg.Folders != nil, FolderLimit: int64(s.cfg.Limits.Folder),
	}
	for _, e := range all {
		v.Experiments = append(v.Experiments, s.adminRow(e, live))
	}
	if len(problems) > 0 {
		c.Status(answerTo(errFields).status)
	}
	return s.show(c, func() error { return s.cfg.Pages.AdminExperiments(c, v) })
}

func (s *Server) liveByExperiment(c *fiber.Ctx) (map[string]int, error) {
	views, err := s.cfg.Platform.Sessions(c.UserContext())
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	live := map[string]int{}
	for _, v := range views {
		if !ended(v.Phase) {
			live[v.Experiment]++
		}
	}
	return live, nil
}

// adminRow describes an experiment; a definition that this program cannot read
// leaves its fields empty and says so.
func (s *Server) adminRow(e *persistence.Experiment, live map[string]int) web.AdminExperimentRow {
	row := web.AdminExperimentRow{
		Link: e.Link, Name: e.Name, Enabled: e.Enabled, Version: e.Version, Live: live[e.Link],
		ImportedAt: e.ImportedAt, ImportedBy: e.ImportedBy,
	}
	def, err := s.definitions.of(e)
	if err != nil {
		row.Environment = "not readable by this version of SHARPIE: import it again"
		return row
	}
	row.Environment, row.Seats = def.Environment.Source, len(def.Seats())
	if row.Environment == "" {
		row.Environment = def.Environment.Name
	}
	return row
}

// adminExperiment shows one experiment with its versions and sessions.
func (s *Server) adminExperiment(c *fiber.Ctx, _ *visitor) error {
	link := c.Params("link")
	if !wellFormedLink.MatchString(link) {
		return errNoPage
	}
	ctx := c.UserContext()
	versions, err := s.cfg.Store.ExperimentVersions(ctx, link)
	if err != nil {
		return fmt.Errorf("versions of %s: %w", link, err)
	}
	if len(versions) == 0 {
		return errNoPage
	}
	live, err := s.liveByExperiment(c)
	if err != nil {
		return err
	}
	latest, shown := versions[0], versions[0]
	v := web.AdminExperimentPage{Layout: s.layout(c), AdminExperimentRow: s.adminRow(latest, live), ShareURL: s.baseURL(c) + "/x/" + link}
	wanted, _ := strconv.Atoi(c.Query("version")) // 0, of no version, where it is no number
	for _, e := range versions {
		if e.Version == wanted {
			shown = e
		}
		v.Versions = append(v.Versions, web.VersionRow{Version: e.Version, Hash: e.Hash, ImportedAt: e.ImportedAt, ImportedBy: e.ImportedBy, Latest: e.Latest})
	}
	v.Shown, v.Source = shown.Version, shown.Source
	stored, err := s.cfg.Store.Sessions(ctx, persistence.SessionFilter{Experiment: link}, persistence.Page{Limit: listPage})
	if err != nil {
		return fmt.Errorf("sessions of %s: %w", link, err)
	}
	for _, x := range stored {
		v.Sessions = append(v.Sessions, s.endedRow(ctx, x, map[string]string{link: latest.Name}))
	}
	if def, err := s.definitions.of(latest); err == nil {
		v.Summary = def.Experiment.ShortDescription
		if err := s.describeCode(ctx, &v, latest, def, stored); err != nil {
			return err
		}
	}
	return s.show(c, func() error { return s.cfg.Pages.AdminExperiment(c, v) })
}

// setEnabled opens an experiment to participants or closes it.
func (s *Server) setEnabled(enabled bool) func(*fiber.Ctx, *visitor) error {
	return func(c *fiber.Ctx, v *visitor) error {
		link := c.Params("link")
		if !wellFormedLink.MatchString(link) {
			return errNoPage
		}
		if err := s.cfg.Store.SetExperimentEnabled(c.UserContext(), link, enabled); err != nil {
			return fmt.Errorf("open or close %s: %w", link, err)
		}
		kind, text := "admin.experiment.enabled", link+" is open to participants."
		if !enabled {
			kind, text = "admin.experiment.disabled", link+" is closed. Sessions that are running go on."
		}
		s.note(c.UserContext(), &persistence.Event{Kind: kind, Actor: v.user.Name, Detail: persistence.Document{"experiment": link}})
		s.flash(c, web.FlashSuccess, text)
		return s.seeOther(c, "/admin/experiments")
	}
}

// upload imports the files of the form, all or none.
func (s *Server) upload(c *fiber.Ctx, v *visitor) error {
	files, problem, err := uploads(c)
	if err != nil {
		return err
	}
	if problem != "" {
		return s.showAdminExperiments(c, []string{problem})
	}
	problems, err := s.checkUploads(files)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return s.showAdminExperiments(c, problems)
	}
	var said []string
	for _, f := range files {
		e, fresh, err := s.cfg.Importer.Import(c.UserContext(), f.name, f.yaml, v.user.Name)
		if err != nil {
			return fmt.Errorf("import %s: %w", f.name, err)
		}
		if !fresh {
			said = append(said, fmt.Sprintf("%s is unchanged (version %d).", e.Name, e.Version))
			continue
		}
		said = append(said, fmt.Sprintf("%s is imported as version %d.", e.Name, e.Version))
		s.note(c.UserContext(), &persistence.Event{Kind: "admin.experiment.imported", Actor: v.user.Name, Detail: persistence.Document{
			"experiment": e.Link, "version": int64(e.Version), "hash": e.Hash,
		}})
	}
	s.flash(c, web.FlashSuccess, strings.Join(said, " "))
	return s.seeOther(c, "/admin/experiments")
}

// checkUploads returns what is wrong with the files, a line per problem.
func (s *Server) checkUploads(files []upload) ([]string, error) {
	var problems []string
	for _, f := range files {
		err := s.cfg.Importer.Check(f.name, f.yaml)
		switch {
		case errors.Is(err, experiments.ErrInvalid):
			problems = append(problems, strings.Split(err.Error(), "\n")...)
		case err != nil:
			return nil, fmt.Errorf("check %s: %w", f.name, err)
		}
	}
	return problems, nil
}

// upload is an experiment's file.
type upload struct {
	name string // for messages
	yaml []byte
}

// uploads reads the files of the form, and says what is wrong with their number.
func uploads(c *fiber.Ctx) (files []upload, problem string, err error) {
	form, err := c.MultipartForm()
	if err != nil {
		return nil, "Choose a YAML file first.", nil
	}
	heads := form.File["file"]
	if len(heads) == 0 {
		return nil, "Choose a YAML file first.", nil
	}
	if len(heads) > maxFiles {
		return nil, fmt.Sprintf("%d files at once are too many: at most %d.", len(heads), maxFiles), nil
	}
	for _, h := range heads {
		data, err := readUpload(h)
		if err != nil {
			return nil, "", err
		}
		files = append(files, upload{name: cleanText(h.Filename, 100), yaml: data})
	}
	return files, "", nil
}

func readUpload(h *multipart.FileHeader) ([]byte, error) {
	f, err := h.Open()
	if err != nil {
		return nil, fmt.Errorf("open upload %q: %w", h.Filename, err)
	}
	data, err := io.ReadAll(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, fmt.Errorf("read upload %q: %w", h.Filename, err)
	}
	return data, nil
}
