package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharpie/actors/play"
	"sharpie/envs/python/pythontest"
)

// gallery is a use case as researchers write it. The environment ends after some steps,
// the policy counts how often it was updated, and what goes wrong is said by fault.
func gallery(t *testing.T, link, fault, scope string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), link)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "config.yaml"), fmt.Sprintf(`use_case: %[1]s
environment:
  name: Counter
  description: It counts.
  filepaths: {environment: environment.py}
policy:
  name: Clerk
  description: It counts what it learned from.
  filepaths: {policy: policy.py}
  checkpoint_interval: 1
  checkpoint_scope: %[2]s
agents:
  - role: agent_0
    name: Counter
    description: You
    policy: Clerk
    participant: true
    keyboard_inputs: {ArrowLeft: 1, default: 0}
    inputs_type: actions
experiment:
  link: %[1]s
  name: Study %[1]s
  number_of_episodes: 1
  target_fps: 20
  wait_for_inputs: false
`, link, scope))
	writeFile(t, filepath.Join(folder, "environment.py"), `
import numpy
import os


class Counter:
    def reset(self):
        self.count = 0
        print("a new episode")
        return numpy.array([0.0]), {}

    def step(self, actions):
        self.count += 1
        if self.count == 5:
            print("the fifth step")
            `+fault+`
        return numpy.array([float(self.count)]), 1.0, self.count >= 25, False, {}

    def render(self):
        picture = numpy.zeros((24, 24, 3), numpy.uint8)
        picture[:, : self.count % 24] = 255
        return picture


environment = Counter()
`)
	writeFile(t, filepath.Join(folder, "policy.py"), `
class Clerk:
    updates = 0

    def predict(self, state):
        return 0

    def update(self, state, action, reward, done, next_state):
        self.updates += 1

    def get_state(self):
        return self.updates

    def set_state(self, state):
        self.updates = state


policy = Clerk()
`)
	return folder
}

// imports imports folders while the server runs.
func (s *server) imports(folders ...string) {
	s.t.Helper()
	if code, said := s.command("import", folders...); code != 0 {
		s.t.Fatalf("import ended with %d:\n%s", code, said)
	}
}

func TestAGalleryFolderIsImportedPlayedStoredAndReplayed(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil, "--python", pythontest.Interpreter(t))
	s.imports(gallery(t, "counter", "pass", "participant"), gallery(t, "shared", "pass", "experiment"), gallery(t, "single", "pass", "session"))
	ada := s.register("ada")
	for _, link := range []string{"counter", "shared", "single"} {
		for range 2 {
			pl := ada.play(ada.join(link))
			pl.until("the end", func(v view) bool { return v.end != nil })
			if v := pl.now(); v.frames < 5 || v.end.GetCode() != "completed" {
				t.Errorf("%s: she saw %d frames, and the end %v", link, v.frames, v.end)
			}
			pl.closed()
		}
		s.verify(link)
	}
	s.kill()
	s.start()
	if out := s.out.text(); !strings.Contains(out, "bubblewrap") && !strings.Contains(out, "unconfined: ") {
		t.Errorf("the server does not say how Python runs:\n%s", out)
	}
	s.kill()
	store := s.store()
	for link, goesOn := range map[string]bool{"counter": true, "shared": true, "single": false} {
		all := episodes(t, store, link)
		if len(all) != 2 {
			t.Fatalf("%s: %d episodes are stored, want 2", link, len(all))
		}
		first, second := all[0], all[1]
		if first.Status != "terminated" || first.Steps != 25 || first.Interpreter == "" || first.Confinement == "" {
			t.Errorf("%s: %s after %d steps, with %q, confined by %q", link, first.Status, first.Steps, first.Interpreter, first.Confinement)
		}
		if !strings.Contains(first.Log, "a new episode") {
			t.Errorf("%s: what was printed is not kept: %q", link, first.Log)
		}
		if before, after := first.Roles[0].PolicyVersion, second.Roles[0].PolicyVersion; before == "" || (before != after) != goesOn {
			t.Errorf("%s: the first session began with %s, the second with %s; goes on where the first ended: %t", link, before, after, goesOn)
		}
	}
}

func TestAFaultEndsItsEpisodeAndFreesTheSlot(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil, "--python", pythontest.Interpreter(t), "--slots", "1")
	faults := []struct{ link, code, state, says string }{
		{"raises", `raise ValueError("no fifth step")`, "env_error", "no fifth step"},
		{"exits", `os._exit(7)`, "exited", "7"},
		{"dies", `os.kill(os.getpid(), 11)`, "killed", ""},
	}
	ada := s.register("ada")
	for _, f := range faults {
		// 3 steps are played before an experiment is taken: the fifth one is not among them
		s.imports(gallery(t, f.link, f.code, "session"))
		pl := ada.play(ada.join(f.link))
		v := pl.until("the end", func(v view) bool { return v.end != nil })
		if said := v.end.String(); strings.Contains(said, "ValueError") || strings.Contains(said, "Traceback") {
			t.Errorf("%s: she reads what is for researchers: %s", f.link, said)
		}
		pl.closed()
	}
	s.imports(gallery(t, "fine", "pass", "session"))
	pl := ada.play(ada.join("fine"))
	pl.until("the end of a session after three faults", func(v view) bool { return v.end.GetCode() == "completed" })
	if n := s.metric("sharpie_python_workers"); n > 1 {
		t.Errorf("%v processes are left", n)
	}
	s.kill()
	store := s.store()
	for _, f := range faults {
		e := only(t, store, f.link)
		if e.Status != "failed" || e.Fault == nil || e.Fault.State != f.state || !strings.Contains(e.Fault.Message, f.says) {
			t.Errorf("%s: the episode is %s, with the fault %+v; want %s that says %q", f.link, e.Status, e.Fault, f.state, f.says)
		}
		if !strings.Contains(e.Log, "the fifth step") {
			t.Errorf("%s: what was printed last is not kept: %q", f.link, e.Log)
		}
	}
}

func TestIdsArePlayedWithoutAFile(t *testing.T) {
	t.Parallel()
	s := serve(t, "", nil, "--python", pythontest.Interpreter(t), "--confine", "never")
	ada := s.register("ada")
	for link, source := range map[string]string{
		"cart": "gymnasium:CartPole-v1", "cards": "gymnasium:Blackjack-v1", "swing": "gymnasium:Pendulum-v1",
		"chase": "pettingzoo:mpe2.simple_tag_v3", "cross": "pettingzoo:pettingzoo.classic.tictactoe_v3",
	} {
		if code, said := s.command("import", source, "--link", link); code != 0 {
			t.Fatalf("import %s ended with %d:\n%s", source, code, said)
		}
		pl := ada.play(ada.join(link))
		pl.until("the picture of "+source, func(v view) bool { return len(v.frame.GetData()) > 50 })
		if err := pl.send(&play.ClientMessage{Kind: &play.ClientMessage_Leave{Leave: &play.Leave{}}}); err != nil {
			t.Fatal(err)
		}
		pl.closed()
	}
	eventually(t, "no process is left", func() bool { return s.metric("sharpie_python_workers") == 0 })
	s.kill()
	store := s.store()
	for _, link := range []string{"cart", "cards", "swing", "chase", "cross"} {
		if e := only(t, store, link); !strings.HasPrefix(e.Confinement, "unconfined") || e.Fault != nil {
			t.Errorf("%s: confined by %q, with the fault %+v", link, e.Confinement, e.Fault)
		}
	}
}
