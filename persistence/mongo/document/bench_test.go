package document

import (
	"testing"
	"time"

	"sharpie/persistence"
)

func second() *persistence.StepChunk {
	const n = 30
	c := &persistence.StepChunk{ID: persistence.ChunkID("e", 0), EpisodeID: "e", SessionID: "s", Count: n, ReceivedAt: time.Now(),
		Offsets: make([]int64, n), Lateness: make([]int64, n), Hashes: make([]byte, 8*n)}
	r := persistence.RoleSteps{Role: "agent_0", Live: make([]bool, n), Sources: make([]string, n), Rewards: make([]float64, n),
		Terminated: make([]bool, n), Truncated: make([]bool, n), Actions: make([]persistence.Value, n),
		Observations: &persistence.Array{DType: "float32", Shape: []int{n, 8}, Data: make([]byte, n*32)}}
	for i := range n {
		r.Actions[i] = int64(i)
		r.Sources[i] = "human"
	}
	r.Inputs = []persistence.HumanInput{{Step: 1, Keys: []string{"ArrowLeft"}, Value: int64(1), ClientAt: time.Now(), ReceivedAt: time.Now()}}
	c.Roles = []persistence.RoleSteps{r}
	return c
}

func BenchmarkMarshalChunk(b *testing.B) {
	c, chunk := New(), second()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Marshal(chunk); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnmarshalChunk(b *testing.B) {
	c := New()
	doc, err := c.Marshal(second())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		var chunk persistence.StepChunk
		if err := c.Unmarshal(doc, &chunk); err != nil {
			b.Fatal(err)
		}
	}
}
