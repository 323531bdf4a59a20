package storetest

import (
	"testing"
	"time"

	"sharpie/persistence"
)

func session(n int, link, node string) *persistence.Session {
	return &persistence.Session{
		ID: persistence.SessionID(id("s%02d", n)), Experiment: link, ExperimentVersion: 1, Room: "r", Phase: "waiting",
		Seats: []persistence.Seat{{Role: "agent_0", Participant: "p", User: "u", JoinedAt: keptp(now)}, {Role: "agent_1"}},
		Node:  node, OpenedAt: kept(now).Add(time.Duration(n) * time.Microsecond),
	}
}

func testSessions(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	a := session(1, "car", "n1")
	t.Run("inserted is read back", func(t *testing.T) {
		must(t, s.InsertSession(ctx, a))
		must(t, s.InsertSession(ctx, a))
		equal(t, get[*persistence.Session](t)(s.Session(ctx, a.ID)), a)
	})
	t.Run("update compares Rev", func(t *testing.T) {
		stale := *a
		a.Phase, a.StartedAt, a.Reason = "running", keptp(now), persistence.Reason{Code: "c", Detail: "d", Public: "p"}
		must(t, s.UpdateSession(ctx, a))
		must(t, s.UpdateSession(ctx, a))
		equal(t, get[*persistence.Session](t)(s.Session(ctx, a.ID)), a)
		wantErr(t, s.UpdateSession(ctx, &stale), persistence.ErrConflict)
	})
	for i := 2; i <= 6; i++ {
		link, node := "car", "n1"
		if i%2 == 1 {
			link, node = "tag", "n2"
		}
		v := session(i, link, node)
		v.Finished = i > 4
		must(t, s.InsertSession(ctx, v))
	}
	ids := func(list []*persistence.Session) (ids []persistence.SessionID) {
		for _, v := range list {
			ids = append(ids, v.ID)
		}
		return ids
	}
	t.Run("filtered, newest first", func(t *testing.T) {
		for _, c := range []struct {
			filter persistence.SessionFilter
			page   persistence.Page
			want   []persistence.SessionID
		}{
			{persistence.SessionFilter{}, persistence.Page{}, []persistence.SessionID{"s06", "s05", "s04", "s03", "s02", "s01"}},
			{persistence.SessionFilter{Experiment: "car"}, persistence.Page{}, []persistence.SessionID{"s06", "s04", "s02", "s01"}},
			{persistence.SessionFilter{Experiment: "car", Unfinished: true}, persistence.Page{Offset: 1, Limit: 1}, []persistence.SessionID{"s02"}},
			{persistence.SessionFilter{Unfinished: true}, persistence.Page{}, []persistence.SessionID{"s04", "s03", "s02", "s01"}},
			{persistence.SessionFilter{Experiment: "nothing"}, persistence.Page{}, nil},
		} {
			equal(t, ids(get[[]*persistence.Session](t)(s.Sessions(ctx, c.filter, c.page))), c.want)
		}
	})
	t.Run("unfinished of a node, oldest first", func(t *testing.T) {
		equal(t, ids(get[[]*persistence.Session](t)(s.UnfinishedSessions(ctx, "n1"))), []persistence.SessionID{"s01", "s02", "s04"})
		equal(t, ids(get[[]*persistence.Session](t)(s.UnfinishedSessions(ctx, "n3"))), []persistence.SessionID(nil))
	})
	t.Run("an experiment's stream is oldest first", func(t *testing.T) {
		equal(t, ids(collect(t, s.SessionsOfExperiment(ctx, "car"))), []persistence.SessionID{"s01", "s02", "s04", "s06"})
	})
	t.Run("unknown is ErrNotFound", func(t *testing.T) {
		_, err := s.Session(ctx, "nothing")
		wantErr(t, err, persistence.ErrNotFound)
		wantErr(t, s.UpdateSession(ctx, session(99, "car", "n")), persistence.ErrNotFound)
	})
}

func episode(sid string, index, attempt int) *persistence.Episode {
	return &persistence.Episode{
		ID: persistence.EpisodeID(id("%s-e%03d-%d", sid, index, attempt)), SessionID: persistence.SessionID(sid), Index: index, Attempt: attempt,
		Experiment: "car", ExperimentVersion: 2, Environment: "go:MountainCar-v0", EnvironmentCode: "1", CodeVersion: "v0", Seed: -1, Replayable: true,
		Roles:  []persistence.EpisodeRole{{Role: "agent_0", Participant: "p", Return: -12.5}, {Role: "agent_1", Policy: "random", PolicyVersion: "3", InputsType: "actions"}},
		Status: "running", StartedAt: kept(now), ReceivedAt: kept(now).Add(time.Duration(index) * time.Microsecond),
	}
}

func testEpisodes(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	a := episode("s1", 0, 0)
	t.Run("inserted is read back", func(t *testing.T) {
		must(t, s.InsertEpisode(ctx, a))
		must(t, s.InsertEpisode(ctx, a))
		equal(t, get[*persistence.Episode](t)(s.Episode(ctx, a.ID)), a)
	})
	t.Run("update compares Rev", func(t *testing.T) {
		stale := *a
		a.Status, a.Steps, a.StoredSteps, a.EndedAt = "terminated", 200, 201, keptp(now.Add(time.Minute))
		must(t, s.UpdateEpisode(ctx, a))
		equal(t, get[*persistence.Episode](t)(s.Episode(ctx, a.ID)), a)
		wantErr(t, s.UpdateEpisode(ctx, &stale), persistence.ErrConflict)
	})
	t.Run("session, index and attempt are unique", func(t *testing.T) {
		other := episode("s1", 0, 0)
		other.ID = "another"
		wantErr(t, s.InsertEpisode(ctx, other), persistence.ErrConflict)
	})
	t.Run("of a session by index and attempt", func(t *testing.T) {
		for _, k := range [][2]int{{10, 0}, {2, 1}, {2, 0}} {
			must(t, s.InsertEpisode(ctx, episode("s1", k[0], k[1])))
		}
		var got [][2]int
		for _, e := range get[[]*persistence.Episode](t)(s.EpisodesOf(ctx, "s1")) {
			got = append(got, [2]int{e.Index, e.Attempt})
		}
		equal(t, got, [][2]int{{0, 0}, {2, 0}, {2, 1}, {10, 0}})
	})
	t.Run("of an experiment, oldest first, none twice or missing", func(t *testing.T) {
		const n = 300 // more than any page
		for i := range n {
			e := episode("s2", i, 0)
			e.Experiment = "many"
			e.ReceivedAt = kept(now).Add(time.Duration(i/7) * time.Microsecond) // many at one time
			must(t, s.InsertEpisode(ctx, e))
		}
		got := collect(t, s.EpisodesOfExperiment(ctx, "many"))
		if len(got) != n {
			t.Fatalf("streamed %d episodes, want %d", len(got), n)
		}
		for i, e := range got {
			if e.Index != i {
				t.Fatalf("episode %d of the stream has index %d", i, e.Index)
			}
		}
	})
	t.Run("a stream may be left early, and read again", func(t *testing.T) {
		seq := s.EpisodesOfExperiment(ctx, "many")
		for range 20 { // more often than a store has connections
			for e, err := range seq {
				must(t, err)
				if e.Index == 3 {
					break
				}
			}
		}
		get[*persistence.Episode](t)(s.Episode(ctx, a.ID))
	})
	t.Run("writing while reading a stream", func(t *testing.T) {
		for e, err := range s.EpisodesOfExperiment(ctx, "many") {
			must(t, err)
			if e.Index%100 == 0 {
				e.Status = "aborted"
				must(t, s.UpdateEpisode(ctx, e))
			}
		}
	})
}

func testCheckpoints(t *testing.T, s persistence.Store) {
	ctx := t.Context()
	checkpoint := func(id string, at time.Time) *persistence.Checkpoint {
		return &persistence.Checkpoint{ID: id, Scope: "session:s", Role: "agent_0", Policy: "tamer", Version: id, Parent: "v0", EpisodeID: "e",
			Step: 7, Hash: "h", Data: []byte{1, 0, 2}, ReceivedAt: kept(at)}
	}
	c1, c2 := checkpoint("c1", now), checkpoint("c2", now.Add(time.Microsecond))
	must(t, s.InsertCheckpoint(ctx, c2))
	must(t, s.InsertCheckpoint(ctx, c1))
	must(t, s.InsertCheckpoint(ctx, c1))
	t.Run("the latest", func(t *testing.T) {
		equal(t, get[*persistence.Checkpoint](t)(s.LatestCheckpoint(ctx, "session:s", "agent_0", "tamer")), c2)
	})
	t.Run("of another scope, role or policy is ErrNotFound", func(t *testing.T) {
		for _, k := range [][3]string{{"session:t", "agent_0", "tamer"}, {"session:s", "agent_1", "tamer"}, {"session:s", "agent_0", "x"}} {
			_, err := s.LatestCheckpoint(ctx, k[0], k[1], k[2])
			wantErr(t, err, persistence.ErrNotFound)
		}
	})
}
