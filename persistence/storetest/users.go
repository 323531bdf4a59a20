package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"sharpie/persistence"
)

func testUsers(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	ann := user("Ann")
	ann.Admin, ann.LastLoginAt = true, keptp(now)
	t.Run("inserted is read back", func(t *testing.T) {
		must(t, s.InsertUser(ctx, ann))
		got := get[*persistence.User](t)(s.User(ctx, "Ann"))
		want := *ann
		want.CreatedAt = kept(ann.CreatedAt)
		equal(t, got, &want)
	})
	t.Run("insert may be repeated", func(t *testing.T) { must(t, s.InsertUser(ctx, ann)) })
	t.Run("another document under the id is ErrConflict", func(t *testing.T) {
		other := *ann
		other.Admin = false
		wantErr(t, s.InsertUser(ctx, &other), persistence.ErrConflict)
	})
	t.Run("a taken name is ErrConflict", func(t *testing.T) {
		other := user("ANN")
		other.ID = "other"
		wantErr(t, s.InsertUser(ctx, other), persistence.ErrConflict)
	})
	t.Run("of many who want one name, one gets it", func(t *testing.T) {
		errs := concurrently(20, func(i int) error {
			u := user("Zoe")
			u.ID = persistence.UserID(id("zoe-%d", i))
			return s.InsertUser(ctx, u)
		})
		if n := succeeded(errs); n != 1 {
			t.Errorf("%d of 20 got the name, want 1", n)
		}
		for _, err := range errs {
			if err != nil {
				wantErr(t, err, persistence.ErrConflict)
			}
		}
	})
	t.Run("by name, in any case", func(t *testing.T) {
		if got := get[*persistence.User](t)(s.UserByName(ctx, "aNN")); got.ID != "Ann" {
			t.Errorf("found %s", got.ID)
		}
	})
	t.Run("unknown is ErrNotFound", func(t *testing.T) {
		_, err := s.User(ctx, "nobody")
		wantErr(t, err, persistence.ErrNotFound)
		_, err = s.UserByName(ctx, "nobody")
		wantErr(t, err, persistence.ErrNotFound)
		wantErr(t, s.UpdateUser(ctx, user("nobody")), persistence.ErrNotFound)
	})
	t.Run("an empty key is ErrInvalid", func(t *testing.T) {
		wantErr(t, s.InsertUser(ctx, &persistence.User{ID: "x", Name: "x"}), persistence.ErrInvalid)
	})
	t.Run("admins are counted", func(t *testing.T) {
		if n := get[int](t)(s.CountAdmins(ctx)); n != 1 {
			t.Errorf("%d admins, want 1", n)
		}
	})
	t.Run("pages are newest first, and bounded", func(t *testing.T) { testUserPages(t, s) })
}

func testUserUpdates(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	ann := user("Ann")
	must(t, s.InsertUser(ctx, ann))
	t.Run("update raises Rev, in place and stored", func(t *testing.T) {
		ann.Disabled = true
		must(t, s.UpdateUser(ctx, ann))
		got := get[*persistence.User](t)(s.User(ctx, "Ann"))
		if ann.Rev != 1 || got.Rev != 1 || !got.Disabled {
			t.Errorf("rev in place %d, stored %d, disabled %v", ann.Rev, got.Rev, got.Disabled)
		}
	})
	t.Run("a stale Rev is ErrConflict and changes nothing", func(t *testing.T) {
		stale := *ann
		stale.Rev, stale.PasswordHash = 0, "changed"
		wantErr(t, s.UpdateUser(ctx, &stale), persistence.ErrConflict)
		if got := get[*persistence.User](t)(s.User(ctx, "Ann")); got.PasswordHash != "" || stale.Rev != 0 {
			t.Errorf("stored %+v, rev in place %d", got, stale.Rev)
		}
	})
	t.Run("the last update may be repeated", func(t *testing.T) {
		again := *ann
		again.Rev = 0
		must(t, s.UpdateUser(ctx, &again))
		if again.Rev != 1 {
			t.Errorf("rev is %d, want 1", again.Rev)
		}
	})
	t.Run("of many updates from one Rev, one succeeds", func(t *testing.T) {
		errs := concurrently(20, func(i int) error {
			u := *ann
			u.PasswordHash = id("hash %d", i)
			return s.UpdateUser(ctx, &u)
		})
		if n := succeeded(errs); n != 1 {
			t.Errorf("%d of 20 succeeded, want 1", n)
		}
	})
	t.Run("an update to a taken name is ErrConflict", func(t *testing.T) {
		bob := user("Bob")
		must(t, s.InsertUser(ctx, bob))
		bob.Name, bob.NameKey = "Ann", "ann"
		wantErr(t, s.UpdateUser(ctx, bob), persistence.ErrConflict)
	})
	t.Run("no update is lost", func(t *testing.T) {
		for _, err := range concurrently(8, func(i int) error { return appendLetter(t, s, "Bob", string(rune('a'+i))) }) {
			must(t, err)
		}
		letters := []byte(get[*persistence.User](t)(s.User(ctx, "Bob")).PasswordHash)
		slices.Sort(letters)
		if string(letters) != "abcdefgh" {
			t.Errorf("after 8 concurrent additions %q", letters)
		}
	})
}

// appendLetter appends one letter, again until nobody else came between.
func appendLetter(t *testing.T, s persistence.Store, id persistence.UserID, letter string) error {
	for {
		u, err := s.User(t.Context(), id)
		if err != nil {
			return err
		}
		u.PasswordHash += letter
		if err := s.UpdateUser(t.Context(), u); !errors.Is(err, persistence.ErrConflict) {
			return err
		}
	}
}

func testUserPages(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	for i := range 5 {
		u := user(id("page-%d", i))
		u.CreatedAt = now.Add(time.Hour + time.Duration(i)*time.Microsecond)
		must(t, s.InsertUser(ctx, u))
	}
	for _, c := range []struct {
		page persistence.Page
		want []persistence.UserID
	}{
		{persistence.Page{Limit: 2}, []persistence.UserID{"page-4", "page-3"}},
		{persistence.Page{Offset: 2, Limit: 2}, []persistence.UserID{"page-2", "page-1"}},
		{persistence.Page{Offset: -7, Limit: 1}, []persistence.UserID{"page-4"}},
		{persistence.Page{Offset: 1000, Limit: 5}, nil},
	} {
		var got []persistence.UserID
		for _, u := range get[[]*persistence.User](t)(s.Users(ctx, c.page)) {
			got = append(got, u.ID)
		}
		equal(t, got, c.want)
	}
	for _, limit := range []int{0, -1, persistence.MaxPage + 1} {
		if all := get[[]*persistence.User](t)(s.Users(ctx, persistence.Page{Limit: limit})); len(all) != 7 {
			t.Errorf("limit %d returns %d users, want all 7", limit, len(all))
		}
	}
}

func testLogins(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	login := func(token, user string, expires time.Duration) *persistence.Login {
		return &persistence.Login{TokenHash: token, UserID: persistence.UserID(user), CreatedAt: kept(now), ExpiresAt: kept(time.Now().UTC().Add(expires))}
	}
	a := login("a", "ann", time.Hour)
	t.Run("inserted is read back", func(t *testing.T) {
		must(t, s.InsertLogin(ctx, a))
		must(t, s.InsertLogin(ctx, a))
		equal(t, get[*persistence.Login](t)(s.Login(ctx, "a")), a)
	})
	t.Run("another login under the hash is ErrConflict", func(t *testing.T) {
		wantErr(t, s.InsertLogin(ctx, login("a", "eve", time.Hour)), persistence.ErrConflict)
	})
	t.Run("expired is ErrNotFound", func(t *testing.T) {
		must(t, s.InsertLogin(ctx, login("old", "ann", -time.Second)))
		_, err := s.Login(ctx, "old")
		wantErr(t, err, persistence.ErrNotFound)
	})
	t.Run("deleted is ErrNotFound, and deleting again is nil", func(t *testing.T) {
		must(t, s.DeleteLogin(ctx, "a"))
		must(t, s.DeleteLogin(ctx, "a"))
		_, err := s.Login(ctx, "a")
		wantErr(t, err, persistence.ErrNotFound)
	})
	t.Run("all logins of one user are deleted, no others", func(t *testing.T) {
		for _, l := range []*persistence.Login{login("b", "ann", time.Hour), login("c", "ann", time.Hour), login("d", "bob", time.Hour)} {
			must(t, s.InsertLogin(ctx, l))
		}
		must(t, s.DeleteLoginsOf(ctx, "ann"))
		for _, token := range []string{"b", "c"} {
			_, err := s.Login(ctx, token)
			wantErr(t, err, persistence.ErrNotFound)
		}
		get[*persistence.Login](t)(s.Login(ctx, "d"))
	})
}

func testOneTimeLinks(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	link := func(token string) *persistence.OneTimeLink {
		return &persistence.OneTimeLink{TokenHash: token, UserID: "ann", ExpiresAt: kept(now).Add(time.Hour)}
	}
	must(t, s.InsertOneTimeLink(ctx, link("a")))
	must(t, s.InsertOneTimeLink(ctx, link("a")))
	t.Run("used once", func(t *testing.T) {
		want := link("a")
		want.UsedAt = keptp(now)
		equal(t, get[*persistence.OneTimeLink](t)(s.UseOneTimeLink(ctx, "a", now)), want)
	})
	t.Run("used is ErrNotFound", func(t *testing.T) {
		_, err := s.UseOneTimeLink(ctx, "a", now)
		wantErr(t, err, persistence.ErrNotFound)
	})
	t.Run("unknown is ErrNotFound", func(t *testing.T) {
		_, err := s.UseOneTimeLink(ctx, "nothing", now)
		wantErr(t, err, persistence.ErrNotFound)
	})
	t.Run("expired is ErrNotFound", func(t *testing.T) {
		must(t, s.InsertOneTimeLink(ctx, link("b")))
		_, err := s.UseOneTimeLink(ctx, "b", now.Add(time.Hour))
		wantErr(t, err, persistence.ErrNotFound)
		get[*persistence.OneTimeLink](t)(s.UseOneTimeLink(ctx, "b", now.Add(time.Hour-time.Millisecond)))
	})
	t.Run("of many who use it at once, one succeeds", func(t *testing.T) {
		must(t, s.InsertOneTimeLink(ctx, link("c")))
		errs := concurrently(50, func(int) error {
			_, err := s.UseOneTimeLink(ctx, "c", now)
			return err
		})
		if n := succeeded(errs); n != 1 {
			t.Errorf("%d of 50 used it, want 1", n)
		}
	})
}
