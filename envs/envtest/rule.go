package envtest

import (
	"context"
	"fmt"
	"runtime/debug"
	"testing"
	"time"

	"sharpie/envs"
)

// Factory makes a new environment under test, in the same way each time.
type Factory func() (envs.Environment, error)

// Options say how hard to look. The zero value is sensible.
type Options struct {
	// Seeds of the episodes played; default 1, 2, 3.
	Seeds []uint64
	// Steps to play at most per episode; default 300.
	Steps int
	// Timeout of every single call; default 30 s.
	Timeout time.Duration
	// Skip names rules that are not checked, with the reason.
	Skip map[string]string
}

func (o Options) withDefaults() Options {
	if len(o.Seeds) == 0 {
		o.Seeds = []uint64{1, 2, 3}
	}
	if o.Steps <= 0 {
		o.Steps = 300
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	return o
}

// Rule is one clause of the contract.
type Rule struct {
	// Name is short and stable: "steps after the end are refused".
	Name string
	// Fix says what to do about a violation.
	Fix   string
	check func(*probe)
}

// Violation is a broken rule.
type Violation struct {
	Rule string
	// Problem is what was seen.
	Problem string
	// Fix is what to do about it.
	Fix string
}

func (v Violation) String() string {
	return fmt.Sprintf("rule %q is broken: %s\n\tfix: %s", v.Rule, v.Problem, v.Fix)
}

// Rules lists all rules, in the order in which they are checked.
func Rules() []Rule {
	var all []Rule
	for _, group := range [][]Rule{specRules(), observationRules(), episodeRules(), actionRules(), turnRules(), pictureRules(), lifeRules(), hostRules()} {
		all = append(all, group...)
	}
	return all
}

// Run checks every rule as a subtest of its name.
func Run(t *testing.T, make Factory, opts Options) {
	t.Helper()
	for _, rule := range Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			if reason, skip := opts.Skip[rule.Name]; skip {
				t.Skipf("not checked: %s", reason)
			}
			for _, v := range rule.Check(make, opts) {
				t.Error(v)
			}
		})
	}
}

// Check checks all rules but those skipped, without a test around it.
func Check(make Factory, opts Options) []Violation {
	var out []Violation
	for _, rule := range Rules() {
		if _, skip := opts.Skip[rule.Name]; !skip {
			out = append(out, rule.Check(make, opts)...)
		}
	}
	return out
}

// Check checks one rule and returns at most one violation: the first problem
// seen. A call that hangs is left behind, with its goroutine.
func (r Rule) Check(make Factory, opts Options) []Violation {
	p := &probe{make: make, opts: opts.withDefaults()}
	defer p.closeAll()
	problem := p.run(r.check)
	if problem == "" {
		return nil
	}
	return []Violation{{Rule: r.Name, Problem: problem, Fix: r.Fix}}
}

// probe is one check of one rule.
type probe struct {
	make Factory
	opts Options
	open []envs.Environment
}

// failure carries the first problem out of a check.
type failure string

// fail ends the check.
func (p *probe) fail(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// run returns the problem that a check found, or nothing.
func (p *probe) run(check func(*probe)) (problem string) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			problem = string(f)
		}
	}()
	check(p)
	return ""
}

// call makes one call of the environment, which may hang or panic.
func (p *probe) call(what string, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), p.opts.Timeout)
	defer cancel()
	done := make(chan error, 1)
	crashed := make(chan string, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				crashed <- fmt.Sprintf("%s panicked: %v\n%s", what, r, debug.Stack())
			}
		}()
		done <- f(ctx)
	}()
	// an environment that heeds its context answers a little after it
	grace := time.NewTimer(p.opts.Timeout + p.opts.Timeout/4)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case problem := <-crashed:
		p.fail("%s", problem)
	case <-grace.C:
		p.open = nil // closing might hang as well
		p.fail("%s did not return within %v", what, p.opts.Timeout)
	}
	return nil
}

// env makes a new environment, closed at the end of the check.
func (p *probe) env() *subject {
	var e envs.Environment
	err := p.call("making the environment", func(context.Context) (err error) {
		e, err = p.make()
		return err
	})
	if err != nil {
		p.fail("making the environment failed: %v", err)
	}
	if e == nil {
		p.fail("the factory returned neither an environment nor an error")
	}
	p.open = append(p.open, e)
	return &subject{probe: p, Environment: e}
}

func (p *probe) closeAll() {
	for _, e := range p.open {
		p.close(e)
	}
}

// close closes an environment, whatever comes of it: that is another rule's business.
func (p *probe) close(e envs.Environment) {
	p.run(func(p *probe) {
		p.call("Close", func(context.Context) error { return e.Close() })
	})
}
