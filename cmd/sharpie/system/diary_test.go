package system

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"sharpie/actors/play"
	"sharpie/persistence"
)

// diary is what one person's page saw and sent in one session, over all of its
// connections: what the store is compared with afterwards. A nil one keeps nothing.
type diary struct {
	who     string
	session persistence.SessionID

	mu     sync.Mutex
	visits int
	role   string
	shown  []shown
	told   []told
	sent   []sent
	phases []phaseSeen
	at     shown // the newest step that was told of, with or without a picture
	end    *play.End
}

// visit names a connection: its number, and which life of the server it was with.
type visit struct{ life, number int }

// shown is a picture.
type shown struct {
	visit
	at      time.Time
	episode int // from 0
	step    int64
	picture picture
}

// picture is the hash of a picture's bytes.
type picture [sha256.Size]byte

// told is the news that a step has used an input.
type told struct {
	visit
	at  time.Time
	seq int64
}

// sent is an input. The number alone does not name it: one that never arrived leaves
// its number to the next connection.
type sent struct {
	visit
	seq, stepSeen, clientTime int64
	keys                      []string
}

// phaseSeen is what the page says of the session.
type phaseSeen struct {
	visit
	at     time.Time
	name   play.Phase_Name
	reason string
	// The newest step that was seen before.
	episode int
	step    int64
}

func (d *diary) opened() int {
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.visits++
	return d.visits
}

func (d *diary) read(v visit, m *play.ServerMessage, now time.Time) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch k := m.GetKind().(type) {
	case *play.ServerMessage_Welcome:
		d.role = k.Welcome.GetRole()
	case *play.ServerMessage_Phase:
		p := phaseSeen{visit: v, at: now, name: k.Phase.GetName(), reason: k.Phase.GetReason(), episode: d.at.episode, step: d.at.step}
		if n := len(d.phases); n == 0 || d.phases[n-1].name != p.name || d.phases[n-1].reason != p.reason || d.phases[n-1].visit != v {
			d.phases = append(d.phases, p)
		}
	case *play.ServerMessage_Frame:
		d.at = shown{visit: v, at: now, episode: int(k.Frame.GetEpisode()) - 1, step: int64(k.Frame.GetStep()), picture: sha256.Sum256(k.Frame.GetData())}
		d.shown = append(d.shown, d.at)
	case *play.ServerMessage_Status:
		d.at = shown{visit: v, at: now, episode: int(k.Status.GetEpisode()) - 1, step: int64(k.Status.GetStep())}
	case *play.ServerMessage_End:
		d.end = k.End
	}
	if seq := int64(m.GetInputSeq()); seq > 0 && (len(d.told) == 0 || d.told[len(d.told)-1].seq != seq || d.told[len(d.told)-1].visit != v) {
		d.told = append(d.told, told{visit: v, at: now, seq: seq})
	}
}

func (d *diary) pressed(v visit, in *play.Input) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent = append(d.sent, sent{visit: v, seq: int64(in.GetSeq()), stepSeen: int64(in.GetStepSeen()), clientTime: in.GetClientTimeUs(), keys: in.GetKeys()})
}

// newest is the newest step that the page was told of.
func (d *diary) newest() shown {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

// since lists what the page said after a moment.
func (d *diary) since(when time.Time) []phaseSeen {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []phaseSeen
	for _, p := range d.phases {
		if p.at.After(when) {
			out = append(out, p)
		}
	}
	return out
}

// longest is the longest time without a picture within one episode.
func (d *diary) longest() (wait time.Duration, after shown) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, s := range d.shown[min(1, len(d.shown)):] {
		if before := d.shown[i]; before.episode == s.episode && s.at.Sub(before.at) > wait {
			wait, after = s.at.Sub(before.at), before
		}
	}
	return wait, after
}

// String tells what the page saw, shortly.
func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := fmt.Sprintf("%s in %s (%s): %d pictures, the last thing was episode %d, step %d;", d.who, d.session, d.role, len(d.shown), d.at.episode, d.at.step)
	for _, p := range d.phases[max(0, len(d.phases)-8):] {
		text += fmt.Sprintf(" %s %s %q at step %d;", p.at.Format("05.000"), p.name, p.reason, p.step)
	}
	return text
}
