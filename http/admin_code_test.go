package http_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"sharpie/experiments"
	"sharpie/http"
	"sharpie/persistence"
)

// folders imports the config.yaml of a folder, as code that is built in.
type folders struct{ store persistence.Store }

func (f folders) ImportFolder(ctx context.Context, name string, files fs.FS, by string, progress func(string)) (*persistence.Experiment, bool, error) {
	progress("reading " + name)
	yaml, err := fs.ReadFile(files, "config.yaml")
	if err != nil {
		return nil, false, fmt.Errorf("%w: %s has no config.yaml", experiments.ErrInvalid, name)
	}
	return experiments.Import(ctx, f.store, experiments.Source{Name: name, YAML: yaml}, by, time.Now())
}

// zipOf makes a zip file of names and contents.
func zipOf(t *testing.T, files ...string) string {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestAdminImportsAFolder(t *testing.T) {
	s := newSite(t)
	s2 := newSite(t, func(c *http.Config) { c.Folders = folders{c.Store} })
	if p := s.admin("root").get("/admin/experiments"); strings.Contains(p.text(), "Import a folder") {
		t.Error("a server that takes no folders shows the form")
	}
	root := s2.admin("root")
	root.get("/admin/experiments").wants(t, 200, "Import a folder", "64.0 MiB")
	// Larger than what others may send.
	model := strings.Repeat("0123456789abcdef", 200_000)
	pack := zipOf(t, "lake/config.yaml", definition("lake", ""), "lake/environment.py", "pass", "lake/saved_models/q.bin", model)
	root.uploadTo("/admin/experiments/folder", "folder", "lake.zip", pack).leadsTo(t, "/admin/experiments/lake")
	root.get("/admin/experiments/lake").wants(t, 200, "Test of lake is imported as version 1.", "root")
	if d := s2.wantsEvent("admin.experiment.imported", "root"); d["experiment"] != "lake" {
		t.Errorf("the event names %v, want lake", d["experiment"])
	}
	root.get("/admin/experiments")
	for name, tt := range map[string]struct{ pack, says string }{
		"no zip":    {"hello", "bad.zip: this is not a zip file"},
		"no config": {zipOf(t, "environment.py", "pass"), "bad has no config.yaml"},
		"outside":   {zipOf(t, "../config.yaml", "a"), "no path within the folder"},
	} {
		t.Run(name, func(t *testing.T) {
			root.uploadTo("/admin/experiments/folder", "folder", "bad.zip", tt.pack).wants(t, 422, "Nothing was imported", tt.says)
		})
	}
	root.post("/admin/experiments/folder", nil).wants(t, 422, "Choose a zip file first.")
}

func TestOnlyAdministratorsSendLargeFolders(t *testing.T) {
	s := newSite(t, func(c *http.Config) { c.Folders = folders{c.Store} })
	s.admin("root")
	eve := s.browser().register("Eve")
	pack := zipOf(t, "config.yaml", definition("lake", ""))
	eve.uploadTo("/admin/experiments/folder", "folder", "lake.zip", pack).wants(t, 403, "administrators")
	large := strings.Repeat("x", 3<<20)
	if p := eve.uploadTo("/admin/experiments/folder", "folder", "lake.zip", large); p.status != 413 {
		t.Errorf("3 MiB of a participant were answered with %d, want 413", p.status)
	}
	if _, err := s.store.LatestExperiment(t.Context(), "lake"); err == nil {
		t.Error("a participant imported an experiment")
	}
}

// failedSession is a session whose first episode failed in the environment.
func (s *site) failedSession(at string) {
	s.t.Helper()
	ended := s.clock.now()
	reason := persistence.Reason{Code: "env_error", Detail: "env_error in step: ValueError: no such cell\nTraceback …", Public: "The game stopped."}
	s.storeSession(at, "mountain-car", func(x *persistence.Session) {
		x.Phase, x.Reason, x.EndedAt, x.Episodes = "aborted", reason, &ended, 1
	})
	if err := s.store.InsertEpisode(s.t.Context(), &persistence.Episode{
		ID: "episode_f", SessionID: sessionOf(at), Experiment: "mountain-car", ExperimentVersion: 1, Environment: "gymnasium:MountainCar-v0",
		Seed: 7, Status: "failed", Reason: reason, Steps: 3, StoredSteps: 4, StartedAt: s.clock.now(), ReceivedAt: s.clock.now(), EndedAt: &ended,
		BundleHash: "b0b", Interpreter: "Python 3.12.3, /opt/venv/bin/python", Confinement: "unconfined: bubblewrap is not installed",
		Warnings: []string{"the role x_agent_0 is taken for agent_0"}, Log: "loading the level\n<b>ready</b>",
		Roles: []persistence.EpisodeRole{{Role: "agent_0", Policy: "tamer", PolicySource: "tamer.py", PolicyVersion: "v41", Return: -3}},
		Fault: &persistence.Fault{State: "env_error", Phase: "step", Type: "ValueError", Message: "no such cell", Traceback: "File \"environment.py\", line 12, in step"},
	}); err != nil {
		s.t.Fatal(err)
	}
}

func TestAdminShowsWhereCodeFailed(t *testing.T) {
	s := newSite(t)
	eve := s.browser().register("Eve")
	at := eve.join("mountain-car")
	s.failedSession(at)
	s.platform.forget(sessionOf(at))
	root := s.admin("root")
	path := "/admin/sessions/" + string(sessionOf(at))
	root.get("/admin/sessions").wants(t, 200, "failed", "env_error in step: ValueError: no such cell")
	if p := root.get("/admin/sessions"); strings.Contains(p.text(), "Traceback") {
		t.Error("the list of sessions shows a whole traceback")
	}
	if p := root.get(path); !strings.Contains(p.body, path+"/episodes/episode_f") {
		t.Errorf("the session's page does not lead to its episode; it says: %s", p.text())
	}
	root.get(path+"/episodes/episode_f").wants(t, 200,
		"The environment's code failed", "while the environment made a step", "ValueError: no such cell", `File "environment.py", line 12, in step`,
		"loading the level <b>ready</b>", "the role x_agent_0 is taken for agent_0", "Python 3.12.3, /opt/venv/bin/python",
		"runs unconfined bubblewrap is not installed", "tamer", "v41", "b0b", "Participants read: “The game stopped because of an error in it. It is not your fault.”")
	root.get(path+"/episodes/episode_none").wants(t, 404)
	root.get("/admin/sessions/session_none/episodes/episode_f").wants(t, 404)
	eve.get(path+"/episodes/episode_f").wants(t, 403, "administrators")
}

func TestWhoseGameFailedReadsACalmSentenceAndWhatToDo(t *testing.T) {
	s := newSite(t)
	eve := s.browser().register("Eve")
	at := eve.join("mountain-car")
	s.platform.setPhase(sessionOf(at), "aborted")
	s.failedSession(at)
	p := eve.get(at + "/thanks")
	p.wants(t, 200, "It is not your fault.", "You can try again.", "tell the person who invited you", string(sessionOf(at)), "Try again")
	for _, jargon := range []string{"env_error", "ValueError", "Traceback", "Python"} {
		if strings.Contains(p.text(), jargon) {
			t.Errorf("a participant reads %q", jargon)
		}
	}
}

const taught = `environment: {name: Lake, source: "gymnasium:FrozenLake-v1"}
python_version: "3.12"
dependencies: [gymnasium==1.0.0]
policies:
  - {name: tamer, filepaths: {policy: tamer.py}, checkpoint_interval: 1, checkpoint_scope: experiment}
agents:
  - {role: agent_0, name: The walker, policy: tamer, participant: true, inputs_type: reward, keyboard_inputs: {g: 1, b: -1, default: 0}}
experiment: {link: taught, name: Taught, enabled: true, number_of_episodes: 1, target_fps: 2, wait_for_inputs: false}
`

func TestAdminShowsAnExperimentsCodeAndWhatItLearned(t *testing.T) {
	s := newSite(t, func(c *http.Config) {
		c.Readiness = func(context.Context, *experiments.Definition) (string, bool) {
			return "not built yet: run sharpie python prepare taught", false
		}
		c.Confinement = func(*experiments.Definition) string { return "unconfined: bubblewrap is not installed" }
	})
	s.install(taught)
	now := s.clock.now()
	if err := s.store.InsertCheckpoint(t.Context(), &persistence.Checkpoint{
		ID: "c1", Scope: "experiment:taught", Role: "agent_0", Policy: "tamer", Version: "v9", EpisodeID: "episode_x", Step: 40,
		Hash: "abcdef0123456789", Data: []byte("\x80\x04learned"), ReceivedAt: now,
	}); err != nil {
		t.Fatal(err)
	}
	root := s.admin("root")
	p := root.get("/admin/experiments/taught")
	p.wants(t, 200, "Python 3.12 with gymnasium==1.0.0", "not ready", "not built yet: run sharpie python prepare taught",
		"runs unconfined bubblewrap is not installed", "tamer.py", "after every step, kept per experiment", "experiment:taught", "v9", "9 bytes")
	file := root.get("/admin/experiments/taught/checkpoint?scope=experiment%3Ataught&role=agent_0&policy=tamer")
	if file.status != 200 || file.body != "\x80\x04learned" || !strings.Contains(file.header.Get("Content-Disposition"), `filename="taught-abcdef012345.checkpoint"`) {
		t.Errorf("the checkpoint came as %d %q %q", file.status, file.header.Get("Content-Disposition"), file.body)
	}
	if got := file.header.Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("the checkpoint is served as %s", got)
	}
	root.get("/admin/experiments/taught/checkpoint?scope=none&role=agent_0&policy=tamer").wants(t, 404)
	s.browser().register("Eve").get("/admin/experiments/taught/checkpoint?scope=experiment%3Ataught&role=agent_0&policy=tamer").wants(t, 403, "administrators")
	if p := root.get("/admin/experiments/mountain-car"); strings.Contains(p.text(), "unconfined") {
		t.Error("an experiment without Python code is called unconfined")
	}
}

func TestControlsWithoutNamesAreNamedByKeyAndValue(t *testing.T) {
	s := newSite(t)
	s.install(taught)
	s.browser().register("Ada").get("/x/taught").wants(t, 200, "G reward 1", "B reward -1", "Your part: The walker .")
	s.install(definition("plain", ""))
	s.browser().register("Bea").get("/x/plain").wants(t, 200, "← action 0", "→ action 2")
}
