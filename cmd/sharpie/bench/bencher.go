package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"sharpie/cmd/sharpie/internal/client"
)

// bencher holds what lasts over the runs: the server and the people.
type bencher struct {
	server   *server
	nodes    []*node // that play every run; none: the server plays
	accounts []*client.Account
	prefix   string // of the accounts' names: new for each benchmark
	progress func(format string, args ...any)
}

// people makes sure of n accounts, a few at a time: a password's hash costs the
// server some milliseconds of a core on purpose.
func (b *bencher) people(ctx context.Context, n int) error {
	from := len(b.accounts)
	if from >= n {
		return nil
	}
	b.progress("registering %d people", n-from)
	fresh := make([]*client.Account, n-from)
	err := inParallel(ctx, len(fresh), 4, func(ctx context.Context, i int) error {
		a, err := client.New(b.server.base)
		if err != nil {
			return err
		}
		fresh[i] = a
		name := fmt.Sprintf("%s-%d", b.prefix, from+i)
		return a.Register(ctx, name, "benchmark of "+name, b.server.key)
	})
	if err != nil {
		return err
	}
	b.accounts = append(b.accounts, fresh...)
	return nil
}

// seat lets everybody take a seat and connect; those of one session follow each other.
func (b *bencher) seat(ctx context.Context, r Run, link string, win *window) ([]*player, error) {
	if err := b.people(ctx, r.Players()); err != nil {
		return nil, err
	}
	players := make([]*player, r.Players())
	err := inParallel(ctx, r.Sessions, 4, func(ctx context.Context, s int) error {
		phase := rand.N(time.Second)
		for i := s * r.Participants; i < (s+1)*r.Participants; i++ {
			a := b.accounts[i]
			path, err := a.Join(ctx, link)
			if err != nil {
				return err
			}
			sock, err := dialSocket(ctx, b.server.base, path+"/socket", a.Cookies(), r.Latency)
			if err != nil {
				return err
			}
			players[i] = newPlayer(sock, r, phase, win)
		}
		return nil
	})
	if err != nil {
		for _, p := range players {
			if p != nil {
				p.sock.close()
			}
		}
		return nil, err
	}
	return players, nil
}

// inParallel calls f for 0 … n-1 from at most width goroutines and returns the first error.
func inParallel(ctx context.Context, n, width int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range n {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	var wg sync.WaitGroup
	for range min(width, n) {
		wg.Go(func() {
			for i := range next {
				if err := f(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// run measures all runs on one server, each with its baseline.
func (b *bencher) run(ctx context.Context, runs []Run, links []string, echo bool) ([]Result, error) {
	out := make([]Result, 0, len(runs))
	for i, r := range runs {
		b.progress("%s", r.Name)
		res, err := b.measure(ctx, r, links[i])
		if err != nil {
			return out, fmt.Errorf("%s: %w", r.Name, err)
		}
		if echo {
			e, err := measureEcho(ctx, r, max(int(res.BytesPerFrame+0.5), 64), min(r.Length, 5*time.Second))
			if err != nil {
				return out, fmt.Errorf("%s: echo: %w", r.Name, err)
			}
			res.Echo = &e
		}
		out = append(out, res)
		select { // the sessions that were left end, and are stored, before the next run counts
		case <-time.After(3 * time.Second):
		case <-ctx.Done():
			return out, ctx.Err()
		}
	}
	return out, nil
}
