package agenttest

import (
	"context"
	"strings"
	"testing"
	"time"

	"sharpie/agents"
	"sharpie/envs"
)

// deaf never answers.
type deaf struct{ agents.Agent }

func (deaf) Act(context.Context, agents.Input) (envs.Value, error) { select {} }
func (deaf) Close() error                                          { return nil }

func TestAnAgentThatHangsIsReported(t *testing.T) {
	r := envs.RoleSpec{Role: "a", Observation: envs.Discrete{N: 2}, Action: envs.Discrete{N: 2}}
	err := Rules()[0].within(10*time.Millisecond, func(agents.Spec) (agents.Agent, error) { return deaf{}, nil }, agents.Spec{Role: r})
	if err == nil || !strings.Contains(err.Error(), "did not return within") {
		t.Errorf("the suite says %v", err)
	}
}
