package system

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The soak of make soak: how long, with which seed, and on which store.
const (
	envSoak      = "SHARPIE_SOAK"       // "10m"; without it, it is short
	envSoakSeed  = "SHARPIE_SOAK_SEED"  // a number; without it, one is drawn, and printed
	envSoakStore = "SHARPIE_SOAK_STORE" // "mongo": MongoDB of the test's own
)

// shortSoak is how long the soak among the other tests is; its seed is 1.
const shortSoak = 12 * time.Second

// soakers are the experiments of the soak, and how many people play each all the time.
var soakers = []struct {
	game
	people int
}{
	{game{link: "squares", kind: "squares", rounds: 2, steps: 80}, 10},
	{game{link: "car", kind: "car", rounds: 1, steps: 150}, 4},
	{game{link: "tag", kind: "tag", rounds: 2, steps: 60}, 12},
}

// Twenty sessions play all the time, on three nodes; nodes are killed, frozen and
// stopped, their links cut in every way, and the server is killed. Afterwards nothing
// is lost, and nothing is there twice.
func TestSoak(t *testing.T) {
	t.Parallel()
	length, seed := soakSettings(t)
	t.Logf("a soak of %s; the same again: %s=%s %s=%d", length, envSoak, length, envSoakSeed, seed)
	at := ""
	if os.Getenv(envSoakStore) == "mongo" {
		at = uri(database(t))
	}
	var games []game
	var links []string
	for _, x := range soakers {
		x.settings = append(x.settings, "lobby_timeout: 8s")
		games, links = append(games, x.game), append(links, x.link)
	}
	k := &soak{lab: openLab(t, at, games), random: rand.New(rand.NewPCG(seed, 0)), did: map[string]int{}}
	k.begin()
	coming, enough := context.WithCancel(t.Context())
	defer enough()
	var guests sync.WaitGroup
	for _, x := range soakers {
		for _, p := range k.people(x.link, x.people) {
			guests.Go(func() { k.comesAgain(coming, p, x.link) })
		}
	}
	k.disturb(length)
	enough()
	guests.Wait()
	p := k.prove(links...)
	t.Logf("seed %d, %s: %s", seed, length, k)
	k.longest()
	for why, n := range p.restarts {
		if !slices.ContainsFunc(beginsAgain, func(end string) bool { return strings.HasSuffix(why, end) }) {
			t.Errorf("%d rounds began again, though they could have gone on: %s", n, why)
		}
	}
	if float64(p.steps) < k.acknowledged {
		t.Errorf("%.0f steps were acknowledged before the server was killed, and %d are stored in all", k.acknowledged, p.steps)
	}
	if p.steps == 0 || p.pictures == 0 || p.inputs == 0 {
		t.Error("nothing was played")
	}
}

func soakSettings(t *testing.T) (length time.Duration, seed uint64) {
	length, seed = shortSoak, 1
	if text := os.Getenv(envSoak); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil || length < time.Second {
			t.Fatalf("%s=%s: want a time such as 10m, of a second at least", envSoak, text)
		}
		seed = rand.Uint64N(1_000_000)
	}
	if text := os.Getenv(envSoakSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s=%s: want a number", envSoakSeed, text)
		}
	}
	return length, seed
}

// soak is a lab to which things happen.
type soak struct {
	*lab
	random *rand.Rand // of the one goroutine that decides
	nodes  []*soakNode
	began  time.Time
	// acknowledged is how many steps each server had stored before it was killed.
	acknowledged float64

	mu  sync.Mutex
	did map[string]int // what happened, how often
}

// String says what happened.
func (k *soak) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(k.did)) {
		parts = append(parts, fmt.Sprintf("%s %d", kind, k.did[kind]))
	}
	return strings.Join(parts, ", ")
}

// beginsAgain is why a round may begin again: nothing of it is stored, or it lost five
// runners within a short time.
var beginsAgain = []string{"it had not begun", "none of its steps is stored", "it was taken over too often"}

// longest tells of the longest pause in a round, and what its people read meanwhile.
func (k *soak) longest() {
	var longest time.Duration
	text := ""
	for _, st := range k.stays {
		d, after := st.diary.longest()
		if d <= longest {
			continue
		}
		longest, text = d, ""
		for _, p := range st.diary.since(after.at) {
			if p.at.Before(after.at.Add(d)) {
				text += fmt.Sprintf("\n%7.2fs %s %q", p.at.Sub(k.began).Seconds(), p.name, p.reason)
			}
		}
		text = fmt.Sprintf("%s in %s saw no picture of a round for %s, from %.2fs on, after step %d of episode %d:%s",
			st.person.name, st.diary.session, d.Round(time.Millisecond), after.at.Sub(k.began).Seconds(), after.step, after.episode, text)
	}
	k.t.Log(text)
}

// people registers them.
func (k *soak) people(link string, n int) []*person {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", link, i)
	}
	return k.registerAll(names...)
}

// comesAgain plays one session after the other, until it is enough.
func (k *soak) comesAgain(ctx context.Context, p *person, link string) {
	for ctx.Err() == nil {
		at, err := p.browser.Join(ctx, link)
		if err != nil { // the server is away
			select {
			case <-ctx.Done():
			case <-time.After(redial):
			}
			continue
		}
		st := p.stay(at)
		k.mu.Lock()
		k.stays = append(k.stays, st)
		k.mu.Unlock()
		select {
		case <-st.done:
		case <-time.After(3 * time.Minute):
			k.t.Errorf("a session does not end: %v", st.diary)
			return
		}
	}
}
