package classic

import (
	"bytes"
	"context"
	"math"
	"testing"

	"sharpie/envs"
)

func TestStarts(t *testing.T) {
	tests := []struct {
		name      string
		make      envs.Factory
		low, high []float64
	}{
		{"mountain car", NewMountainCar, []float64{-0.6, 0}, []float64{-0.4, 0}},
		{"cart-pole", NewCartPole, []float64{-0.05, -0.05, -0.05, -0.05}, []float64{0.05, 0.05, 0.05, 0.05}},
	}
	for _, tt := range tests {
		env, err := tt.make(nil)
		if err != nil {
			t.Fatal(err)
		}
		n := len(tt.low)
		low, high := make([]float64, n), make([]float64, n)
		for i := range low {
			low[i], high[i] = math.Inf(1), math.Inf(-1)
		}
		for seed := range uint64(1000) {
			obs, err := env.Reset(context.Background(), seed)
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range obs[0].Observation.(envs.Array).Float64s() {
				low[i], high[i] = min(low[i], x), max(high[i], x)
			}
		}
		for i := range low {
			// float32 rounds by less than 1e-7
			if low[i] < tt.low[i]-1e-7 || high[i] > tt.high[i]+1e-7 ||
				low[i] > tt.low[i]+0.01 || high[i] < tt.high[i]-0.01 {
				t.Errorf("%s: element %d starts in [%v, %v], want all of [%v, %v]", tt.name, i, low[i], high[i], tt.low[i], tt.high[i])
			}
		}
	}
}

func TestDefaultLimits(t *testing.T) {
	for want, make := range map[int]envs.Factory{200: NewMountainCar, 500: NewCartPole} {
		env, err := make(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := env.Spec().MaxSteps; got != want {
			t.Errorf("%s is cut after %d steps, want %d", env.Spec().ID, got, want)
		}
	}
}

// TestCarIsSeenEverywhere drives over the whole track: the car must be in the
// picture, and elsewhere than before.
func TestCarIsSeenEverywhere(t *testing.T) {
	m := &mountainCar{}
	var last []byte
	for position := carMinPosition; position <= carMaxPosition; position += 0.02 {
		m.state.Position = position
		f := m.Draw()
		car := bytes.Count(f.Index, []byte{byte(theMountain().body)})
		if car < 300 {
			t.Errorf("at %.2f the car has %d pixels", position, car)
		}
		if bytes.Equal(f.Index, last) {
			t.Errorf("at %.2f the picture is the one before", position)
		}
		last = bytes.Clone(f.Index)
	}
}

func TestPoleIsSeenLeaning(t *testing.T) {
	p := &cartPole{}
	seen := map[string]float64{}
	for _, theta := range []float64{-poleMaxAngle, -0.05, 0, 0.05, poleMaxAngle} {
		p.state.Theta = theta
		picture := string(bytes.Clone(p.Draw().Index))
		if other, ok := seen[picture]; ok {
			t.Errorf("an angle of %v looks like one of %v", theta, other)
		}
		seen[picture] = theta
	}
}
