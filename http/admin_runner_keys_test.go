package http_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sharpie/actors"
	"sharpie/actors/link"
	"sharpie/persistence"
)

func (a *awayStore) InsertRunnerKey(ctx context.Context, k *persistence.RunnerKey) error {
	if err := a.err(); err != nil {
		return err
	}
	return a.Store.InsertRunnerKey(ctx, k)
}

// keyForm is the form that makes a key.
func keyForm(id, name, labels string) url.Values {
	return url.Values{"id": {id}, "name": {name}, "labels": {labels}}
}

var (
	keyInPage = regexp.MustCompile(`shk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}`)
	keyIDForm = regexp.MustCompile(`name="id" value="(rk_[a-z0-9]+)"`)
)

// makeKey makes a key as an administrator does, and returns it with its answer.
func (b *browser) makeKey(name, labels string) (string, page) {
	b.s.t.Helper()
	id := keyIDForm.FindStringSubmatch(b.get("/admin/runners").body)
	if id == nil {
		b.s.t.Fatal("the page has no form that makes a key")
	}
	p := b.post("/admin/runners", keyForm(id[1], name, labels))
	return keyInPage.FindString(p.body), p
}

// runnerKeys are the keys that are stored.
func (s *site) runnerKeys() []*persistence.RunnerKey {
	s.t.Helper()
	keys, err := s.store.RunnerKeys(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return keys
}

func TestAKeyIsShownOnceAndKeptAsItsHash(t *testing.T) {
	s := newSite(t, takesNodes)
	root := s.admin("root")
	key, p := root.makeKey("  GPU box ", "gpu, lab/3  gpu")
	p.wants(t, 200, "The key “GPU box” is made", "It is shown this once", "sharpie runner --join "+s.url+" --key "+key, "sharpie runner --join "+s.url+" --key-file runner.key",
		"leads to this machine alone", "GPU box "+key[4:12]+" gpu lab/3 just now by root never good")
	if p.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control is %q: a cache keeps the key", p.header.Get("Cache-Control"))
	}
	for _, c := range p.cookies {
		t.Errorf("the answer sets the cookie %s", c.Name)
	}
	keys := s.runnerKeys()
	if len(keys) != 1 || keys[0].Hash != link.HashKey(key) || keys[0].Name != "GPU box" || strings.Join(keys[0].Labels, " ") != "gpu lab/3" || keys[0].CreatedBy != "root" {
		t.Fatalf("stored is %+v", keys)
	}
	if d := s.wantsEvent("admin.runner_key.made", "root"); d["prefix"] != keys[0].Prefix || d["name"] != "GPU box" || d["key"] != keys[0].ID {
		t.Errorf("the event says %v", d)
	}
	secret := key[len("shk_")+9:]
	for _, path := range append(adminPages, "/admin/runners/keys/"+keys[0].ID) {
		if strings.Contains(root.get(path).body, secret) {
			t.Errorf("%s shows the key again", path)
		}
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the key is in the log")
	}
}

func TestAFormThatIsSentTwiceMakesOneKey(t *testing.T) {
	s := newSite(t, takesNodes)
	root := s.admin("root")
	key, _ := root.makeKey("lab", "")
	again := root.post("/admin/runners", keyForm(s.runnerKeys()[0].ID, "lab", "")) // a reload
	again.leadsTo(t, "/admin/runners")
	p := root.get("/admin/runners")
	p.wants(t, 200, "made already, and is not shown again")
	if keys := s.runnerKeys(); len(keys) != 1 || strings.Contains(p.body, key) {
		t.Errorf("%d keys, want one that is not shown again", len(keys))
	}
	if other, _ := root.makeKey("lab", ""); other == "" || other == key { // the name may be used again
		t.Errorf("the next key is %q", other)
	}
}

func TestKeysThatAreWrongAreRefusedBesideTheField(t *testing.T) {
	s := newSite(t, takesNodes)
	root := s.admin("root")
	for _, c := range []struct {
		name, labels string
		wants        string
		field        string
	}{
		{"", "gpu", "allowed are 1 to 100 bytes on one line.", "name"},
		{" \t ", "gpu", "allowed are 1 to 100 bytes on one line.", "name"},
		{strings.Repeat("x", 101), "gpu", "allowed are 1 to 100 bytes on one line.", "name"},
		{"two\nlines", "gpu", "allowed are 1 to 100 bytes on one line.", "name"},
		{"bro\xffken", "gpu", "allowed are 1 to 100 bytes on one line.", "name"},
		{"lab", "gpu !!", `"!!" is no label: allowed are 1 to 64 letters`, "labels"},
		{"lab", strings.Repeat("y", 65), "is no label: allowed are 1 to 64 letters", "labels"},
		{"lab", strings.Repeat("a ", 33), "33 labels: allowed are at most 32.", "labels"},
		{"lab", strings.Repeat("z", 100_000), "is no label", "labels"},
	} {
		_, p := root.makeKey(c.name, c.labels)
		p.wants(t, 422, c.wants, "Please check this")
		if !strings.Contains(p.body, `id="`+c.field+`-error"`) {
			t.Errorf("%.20q with the labels %.20q: the error is not beside %s", c.name, c.labels, c.field)
		}
		if c.field == "labels" && !strings.Contains(p.body, `value="lab"`) || c.field == "name" && !strings.Contains(p.body, `value="gpu"`) {
			t.Errorf("%.20q with the labels %.20q: what was typed is lost", c.name, c.labels)
		}
		if len(p.body) > 60_000 {
			t.Errorf("the page has %d bytes", len(p.body))
		}
	}
	for _, id := range []string{"", "x", "user_1", "rk_" + strings.Repeat("x", 100), "rk_<b>", "rk_../x"} {
		root.post("/admin/runners", keyForm(id, "lab", "")).wants(t, 422)
	}
	root.post("/admin/runners", url.Values{"_csrf": {"wrong"}, "id": {"rk_1"}, "name": {"lab"}}).wants(t, 403, "reload the page")
	root.post("/admin/runners", keyForm("rk_1", "lab", ""), "Origin", "https://evil.example").wants(t, 403, "another web site")
	if keys := s.runnerKeys(); len(keys) > 0 {
		t.Errorf("%d keys were made", len(keys))
	}
}

func TestAKeyIsRevokedAfterAQuestion(t *testing.T) {
	s := newSite(t, withNodes(actors.Node{ID: "box.aaaaaaaa", Key: "rk1", Incarnation: "inc_1", Slots: 1, Connected: true},
		actors.Node{ID: "other.bbbbbbbb", Key: "rk2", Slots: 1, Connected: true}))
	if err := s.store.InsertRunnerKey(t.Context(), &persistence.RunnerKey{ID: "rk1", Name: "lab", Prefix: "aaaaaaaa", Hash: "h", Labels: []string{}, CreatedAt: s.clock.now(), CreatedBy: "Ann"}); err != nil {
		t.Fatal(err)
	}
	root := s.admin("root")
	s.platform.mu.Lock()
	s.platform.runners = []actors.RunnerView{{Runner: "box.aaaaaaaa", Incarnation: "inc_1", Node: true, Session: "s_1"}}
	s.platform.mu.Unlock()
	p := root.get("/admin/runners/keys/rk1")
	p.wants(t, 200, "Key lab", "aaaaaaaa", "Ann", "Revoke this key?", "1 node is cut within a second; 1 session that plays there looks for another runner.", "box.aaaaaaaa")
	if strings.Contains(p.text(), "other.bbbbbbbb") {
		t.Error("the page shows nodes of another key")
	}
	if k := s.runnerKeys()[0]; k.RevokedAt != nil {
		t.Fatal("looking at a key revoked it")
	}
	for _, id := range []string{"rk_none", "x", "..%2frk1", strings.Repeat("x", 300)} {
		root.get("/admin/runners/keys/"+id).wants(t, 404)
		root.post("/admin/runners/keys/"+id+"/revoke", nil).wants(t, 404)
	}
	root.post("/admin/runners/keys/rk1/revoke", url.Values{"_csrf": {"wrong"}}).wants(t, 403)
	root.post("/admin/runners/keys/rk1/revoke", nil, "Origin", "https://evil.example").wants(t, 403)

	root.get("/admin/runners")
	root.post("/admin/runners/keys/rk1/revoke", nil).leadsTo(t, "/admin/runners")
	root.get("/admin/runners").wants(t, 200, "The key lab is revoked. Its nodes are cut within a second.", "revoked")
	k := s.runnerKeys()[0]
	if k.RevokedAt == nil {
		t.Fatal("the key is not revoked")
	}
	if e := s.wantsEvent("admin.runner_key.revoked", "root"); e["key"] != "rk1" {
		t.Errorf("the event says %v", e)
	}
	root.post("/admin/runners/keys/rk1/revoke", nil).leadsTo(t, "/admin/runners")
	root.get("/admin/runners").wants(t, 200, "was revoked before")
	if again := s.runnerKeys()[0]; !again.RevokedAt.Equal(*k.RevokedAt) {
		t.Error("revoking again changed when the key was revoked")
	}
	if p := root.get("/admin/runners/keys/rk1"); strings.Contains(p.text(), "Revoke this key?") {
		t.Error("a key that is revoked can be revoked again")
	}
}
