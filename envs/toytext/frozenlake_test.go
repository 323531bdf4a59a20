package toytext

import (
	"bytes"
	"context"
	"testing"

	"sharpie/envs"
)

func lake(t *testing.T, kwargs map[string]any) envs.Environment {
	t.Helper()
	env, err := NewFrozenLake(kwargs)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// TestSlipRates goes down from the left upper corner of an open lake many times.
func TestSlipRates(t *testing.T) {
	ctx := context.Background()
	env := lake(t, map[string]any{"desc": []any{"FFF", "FSF", "FFG"}, "success_rate": 0.5})
	const n = 4000
	counts := map[envs.Value]int{}
	for seed := range uint64(n) {
		if _, err := env.Reset(ctx, seed); err != nil {
			t.Fatal(err)
		}
		tr, err := env.Step(ctx, []envs.RoleAction{{Role: "agent_0", Action: envs.Int(down)}})
		if err != nil {
			t.Fatal(err)
		}
		counts[tr.Roles[0].Observation]++
	}
	// from cell 4: down is 7, left 3, right 5
	for cell, want := range map[envs.Int]float64{7: 0.5, 3: 0.25, 5: 0.25} {
		if got := float64(counts[cell]) / n; got < want-0.03 || got > want+0.03 {
			t.Errorf("cell %d is reached in %.3f of all cases, want %.2f", cell, got, want)
		}
	}
}

func TestSeveralStarts(t *testing.T) {
	env := lake(t, map[string]any{"desc": []any{"SFS", "FGS"}})
	counts := map[envs.Value]int{}
	for seed := range uint64(300) {
		obs, err := env.Reset(context.Background(), seed)
		if err != nil {
			t.Fatal(err)
		}
		counts[obs[0].Observation]++
	}
	if len(counts) != 3 || counts[envs.Int(0)] < 70 || counts[envs.Int(2)] < 70 || counts[envs.Int(5)] < 70 {
		t.Errorf("the starts are %v, want cells 0, 2 and 5 about equally often", counts)
	}
}

func TestEveryCellLooksDifferent(t *testing.T) {
	l, err := newLake(envs.NewKwargs(map[string]any{"map_name": "8x8"}))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]lakeState{}
	for cell := range l.cells {
		for facing := left; facing <= up; facing++ {
			if l.cells[cell] == 'H' && facing > left {
				continue // who swims looks at nobody
			}
			l.state = lakeState{Cell: cell, Facing: facing}
			picture := string(bytes.Clone(l.Draw().Index))
			if other, ok := seen[picture]; ok {
				t.Errorf("%+v looks like %+v", l.state, other)
			}
			seen[picture] = l.state
		}
	}
}
