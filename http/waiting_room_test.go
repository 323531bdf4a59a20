package http_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTwoWhoWantOnePartAreTold(t *testing.T) {
	s := newSite(t)
	sit := func(name, role, room string) (*browser, string) {
		b := s.browser().register(name)
		b.get("/x/simple-tag")
		p := b.post("/x/simple-tag/join", url.Values{"consent": {"agree"}, "role": {role}, "room": {room}})
		if p.status != 303 {
			t.Fatalf("%s: %d %s", name, p.status, p.text())
		}
		return b, p.location
	}
	ada, at := sit("Ada", "agent_0", "club")
	if p := ada.get(at + "/lobby"); p.status != 200 || p.body != "" {
		t.Errorf("who waits alone is told %d %q, want nothing", p.status, p.body)
	}
	_, elsewhere := sit("Cem", "agent_0", "another")
	ben, second := sit("Ben", "agent_0", "club")
	if second == at || elsewhere == at {
		t.Fatal("two people share a seat")
	}
	s.clock.advance(3 * time.Second)
	ada.get(at+"/lobby").wants(t, 200, "Somebody else is waiting for the part", "chooses another part")
	ben.get(second+"/lobby").wants(t, 200, "Somebody else is waiting for the part")
	s.platform.setPhase(sessionOf(second), "running")
	s.clock.advance(3 * time.Second)
	if p := ada.get(at + "/lobby"); p.body != "" {
		t.Errorf("when the other plays, Ada is told %q", p.body)
	}
	if p := s.browser().get(at + "/lobby"); p.status != 303 {
		t.Errorf("a stranger got %d, want to be sent to log in", p.status)
	}
}

func TestHomeLeadsBackToAGameThatIsOn(t *testing.T) {
	s := newSite(t)
	ada := s.browser().register("Ada")
	if p := ada.get("/"); strings.Contains(p.text(), "still on") {
		t.Error("somebody who does not play is told that their game is on")
	}
	at := ada.join("mountain-car")
	p := ada.get("/")
	p.wants(t, 200, "Your game is still on", "Continue Mountain Car")
	if !strings.Contains(p.body, `href="`+at+`"`) {
		t.Errorf("the page does not lead to %s", at)
	}
	if p := s.browser().register("Ben").get("/"); strings.Contains(p.text(), "still on") {
		t.Error("Ben is shown Ada's game")
	}
	s.platform.setPhase(sessionOf(at), "completed")
	if p := ada.get("/"); strings.Contains(p.text(), "still on") {
		t.Error("a game that is over is called still on")
	}
}
