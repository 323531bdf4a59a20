package envtest_test

import (
	"context"
	"errors"

	"sharpie/envs"
)

// toyHost is toy in a process of its own, without any policy.
type toyHost struct {
	*toy
	wrong  *hostFault
	resets int
}

// hostFault is one way for a host to be wrong; nil functions are right.
type hostFault struct {
	once  bool // not reusable, which is right
	turn  func(*toyHost, *envs.Outcome)
	learn func(*toyHost) ([]string, error)
	info  func(*toyHost, *envs.HostInfo, *string)
}

var _ envs.Host = (*toyHost)(nil)

func (h *toyHost) Reset(ctx context.Context, seed uint64) (envs.Observations, error) {
	if h.resets > 0 && h.wrong.once && h.usable(ctx) == nil {
		return nil, errors.New("it knows one episode only")
	}
	o, err := h.toy.Reset(ctx, seed)
	if err == nil {
		h.resets++
	}
	return o, err
}

func (h *toyHost) Turn(ctx context.Context, turns []envs.RoleTurn) (out envs.Outcome, err error) {
	actions := make([]envs.RoleAction, len(turns))
	for i, t := range turns {
		actions[i] = envs.RoleAction{Role: t.Role, Action: t.Action}
		out.Decisions = append(out.Decisions, envs.Decision{Action: t.Action})
	}
	if out.Transition, err = h.Step(ctx, actions); err != nil {
		return out, err
	}
	if out.Frame, err = h.Render(ctx); err == nil && h.wrong.turn != nil {
		h.wrong.turn(h, &out)
	}
	return out, err
}

func (h *toyHost) Learn(ctx context.Context, _ []envs.RoleTurn) ([]string, error) {
	if err := h.usable(ctx); err != nil {
		return nil, err
	}
	if h.wrong.learn != nil {
		return h.wrong.learn(h)
	}
	return nil, nil
}

func (h *toyHost) Reusable() bool { return !h.wrong.once }

func (h *toyHost) Info() envs.HostInfo {
	info, _ := h.said()
	return info
}

func (h *toyHost) Output() string {
	_, out := h.said()
	return out
}

func (h *toyHost) said() (info envs.HostInfo, out string) {
	if h.wrong.info != nil {
		h.wrong.info(h, &info, &out)
		return info, out
	}
	return envs.HostInfo{Interpreter: "toy", Confinement: "none"}, "printed"
}
