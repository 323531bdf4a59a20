// Package export writes what an experiment has stored as files that any tool
// reads: JSON lines or CSV, a file per kind of record, one row per step and role. It
// owns the names and order of their columns, and that a folder of an export is
// complete or not there. It refuses to write who people are: participants appear
// under their participant id, without user names, user ids and external ids.
package export

import (
	"context"
	"fmt"
	"iter"
	"time"

	"sharpie/persistence"
)

// Format is how rows are written.
type Format string

// The formats.
const (
	JSONL Format = "jsonl" // one JSON object per line
	CSV   Format = "csv"   // RFC 4180, a header line, UTF-8
)

// Store is what an export reads. Every persistence.Store is one.
type Store interface {
	User(ctx context.Context, id persistence.UserID) (*persistence.User, error)
	LatestExperiment(ctx context.Context, link string) (*persistence.Experiment, error)
	ExperimentVersions(ctx context.Context, link string) ([]*persistence.Experiment, error)
	ParticipantsOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Participant, error]
	SessionsOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Session, error]
	EventsOf(ctx context.Context, id persistence.SessionID) iter.Seq2[*persistence.Event, error]
	EpisodesOfExperiment(ctx context.Context, link string) iter.Seq2[*persistence.Episode, error]
	StepChunks(ctx context.Context, id persistence.EpisodeID) iter.Seq2[*persistence.StepChunk, error]
}

// Summary is what was written; it also is the file export.json.
type Summary struct {
	Experiment string    `json:"experiment"`
	Format     Format    `json:"format"`
	Version    int       `json:"export_version"` // of the columns
	WrittenAt  time.Time `json:"server_written_at"`
	// Rows counts the rows of each file, by the file's name.
	Rows map[string]int64 `json:"rows"`
}

// exportVersion goes up when columns change their meaning.
const exportVersion = 1

// Export writes the experiment's records to the folder dir, which must not exist or
// be empty; it appears complete or not at all. Episodes that still run are written
// as far as they are stored. Memory stays bounded by the largest chunk. Errors:
// ErrNotFound (no such experiment), ErrNotEmpty, and those of files.
func Export(ctx context.Context, store Store, link, dir string, format Format) (*Summary, error) {
	if format != JSONL && format != CSV {
		return nil, fmt.Errorf("export: format %q must be %q or %q", format, JSONL, CSV)
	}
	if _, err := store.LatestExperiment(ctx, link); err != nil {
		return nil, fmt.Errorf("export experiment %q: %w", link, err)
	}
	t, err := newTarget(dir)
	if err != nil {
		return nil, fmt.Errorf("export to %s: %w", dir, err)
	}
	e := &exporter{store: store, link: link, target: t, format: format, names: map[persistence.UserID]string{}, rows: map[string]int64{}}
	if err := e.run(ctx); err != nil {
		t.discard()
		return nil, fmt.Errorf("export experiment %q: %w", link, err)
	}
	s := &Summary{Experiment: link, Format: format, Version: exportVersion, WrittenAt: time.Now().UTC().Truncate(time.Microsecond), Rows: e.rows}
	if err := t.finish(s); err != nil {
		t.discard()
		return nil, fmt.Errorf("export to %s: %w", dir, err)
	}
	return s, nil
}

// exporter writes one file after the other.
type exporter struct {
	store  Store
	link   string
	target *target
	format Format
	names  map[persistence.UserID]string // of those who sit in a session
	rows   map[string]int64
}

func (e *exporter) run(ctx context.Context) error {
	for _, f := range []struct {
		table table
		fill  func(context.Context, *rowWriter) error
	}{
		{experimentColumns, e.experiments},
		{participantColumns, e.participants},
		{sessionColumns, e.sessions},
		{eventColumns, e.events},
		{episodeColumns, e.episodes},
		{stepColumns, e.steps},
	} {
		if err := e.file(ctx, f.table, f.fill); err != nil {
			return fmt.Errorf("%s: %w", f.table.name, err)
		}
	}
	return nil
}

func (e *exporter) file(ctx context.Context, t table, fill func(context.Context, *rowWriter) error) error {
	name := t.name + "." + string(e.format)
	file, err := e.target.create(name)
	if err != nil {
		return err
	}
	w := newRowWriter(file, t, e.format)
	if err := fill(ctx, w); err != nil {
		_ = file.Close() // the first error says more
		return err
	}
	if err := w.close(); err != nil {
		return err
	}
	e.rows[name] = w.rows
	return nil
}

func (e *exporter) experiments(ctx context.Context, w *rowWriter) error {
	versions, err := e.store.ExperimentVersions(ctx, e.link)
	if err != nil {
		return err
	}
	for i := len(versions) - 1; i >= 0; i-- {
		v := versions[i]
		if err := w.row(v.Link, int64(v.Version), v.Name, v.Hash, v.BundleHash, v.ImportedAt, value{v.Definition}, v.Source); err != nil {
			return err
		}
	}
	return nil
}

// completed returns who sat in a completed session until its end.
func (e *exporter) completed(ctx context.Context) (map[persistence.ParticipantID]bool, error) {
	done := map[persistence.ParticipantID]bool{}
	for s, err := range e.store.SessionsOfExperiment(ctx, e.link) {
		if err != nil {
			return nil, err
		}
		if s.Phase != "completed" {
			continue
		}
		for _, seat := range s.Seats {
			if seat.Participant != "" && (seat.LeftAt == nil || s.EndedAt != nil && !seat.LeftAt.Before(*s.EndedAt)) {
				done[seat.Participant] = true
			}
		}
	}
	return done, nil
}

func (e *exporter) participants(ctx context.Context, w *rowWriter) error {
	done, err := e.completed(ctx)
	if err != nil {
		return err
	}
	for p, err := range e.store.ParticipantsOfExperiment(ctx, e.link) {
		if err != nil {
			return err
		}
		if err := w.row(string(p.ID), p.Experiment, p.CreatedAt, done[p.ID]); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) sessions(ctx context.Context, w *rowWriter) error {
	for s, err := range e.store.SessionsOfExperiment(ctx, e.link) {
		if err != nil {
			return err
		}
		seats := make([]any, len(s.Seats))
		for i, seat := range s.Seats {
			seats[i] = ordered{
				{"role", seat.Role}, {"participant_id", orNil(string(seat.Participant))},
				{"server_joined_at", timeOrNil(seat.JoinedAt)}, {"server_left_at", timeOrNil(seat.LeftAt)},
			}
		}
		if err := w.row(string(s.ID), s.Experiment, int64(s.ExperimentVersion), s.Room, s.Phase, s.Reason.Code, s.Reason.Detail,
			int64(s.Episodes), s.Finished, s.OpenedAt, timeOrNil(s.StartedAt), timeOrNil(s.EndedAt), value{seats}); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) episodes(ctx context.Context, w *rowWriter) error {
	for ep, err := range e.store.EpisodesOfExperiment(ctx, e.link) {
		if err != nil {
			return err
		}
		roles := make([]any, len(ep.Roles))
		for i, r := range ep.Roles {
			roles[i] = ordered{
				{"role", r.Role}, {"participant_id", orNil(string(r.Participant))}, {"policy", orNil(r.Policy)},
				{"policy_source", orNil(r.PolicySource)}, {"policy_version", orNil(r.PolicyVersion)}, {"inputs_type", orNil(r.InputsType)},
				{"return", r.Return}, {"human_return", r.HumanReturn},
			}
		}
		if err := w.row(string(ep.ID), string(ep.SessionID), int64(ep.Index), int64(ep.Attempt), ep.Experiment, int64(ep.ExperimentVersion),
			ep.Status, ep.Reason.Code, ep.Reason.Detail, ep.Steps, ep.StoredSteps, uint64(ep.Seed), ep.Replayable,
			ep.Environment, ep.EnvironmentCode, ep.CodeVersion, ep.BundleHash, string(ep.Runner), value{runsOf(ep)},
			ep.StartedAt, ep.ReceivedAt, timeOrNil(ep.EndedAt), value{roles}); err != nil {
			return err
		}
	}
	return nil
}

// runsOf are the runners that went on with an episode; nil where there was none.
func runsOf(ep *persistence.Episode) any {
	if len(ep.Runs) == 0 {
		return nil
	}
	out := make([]any, len(ep.Runs))
	for i, r := range ep.Runs {
		out[i] = ordered{{"runner_id", string(r.Runner)}, {"incarnation", r.Incarnation}, {"from_step", r.FromStep}, {"server_at", r.At}, {"why", r.Why}}
	}
	return out
}
