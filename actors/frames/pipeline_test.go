package frames

import (
	"bytes"
	"testing"
	"testing/synctest"

	"image/png"
	"sharpie/envs"
)

func TestPipelineDeliversTheNewestPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var got []Encoded
		p := NewPipeline(NewEncoder(), func(e Encoded) { got = append(got, e); <-gate })
		defer p.Close()
		shots := []envs.Frame{colored(8, 8, 4, 1, true), colored(8, 8, 4, 2, true), colored(8, 8, 4, 3, true), colored(8, 8, 4, 4, true)}
		last := rgb(shots[3])
		for i, f := range shots {
			p.Put(f, uint64(i))
			clear(f.Index) // the environment goes on drawing
			synctest.Wait()
		}
		close(gate)
		p.Wait()
		if len(got) != 2 || got[0].Step != 0 || got[1].Step != 3 {
			t.Fatalf("delivered %d pictures, want those of steps 0 and 3: %v", len(got), got)
		}
		img, err := png.Decode(bytes.NewReader(got[1].Data))
		if err != nil || !bytes.Equal(pixels(img), last) {
			t.Errorf("the last picture is not the last frame (%v)", err)
		}
	})
}

func TestPipelineReportsErrorsAndLeavesUnchangedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []Encoded
		p := NewPipeline(NewEncoder(), func(e Encoded) { got = append(got, e) })
		defer p.Close()
		f := colored(8, 8, 4, 1, true)
		for i, f := range []envs.Frame{f, f, {Width: 9, Height: 8, Index: f.Index, Palette: f.Palette}} {
			p.Put(f, uint64(i))
			p.Wait()
		}
		if len(got) != 2 || got[0].Err != nil || got[1].Err == nil || got[1].Step != 2 {
			t.Fatalf("delivered %v, want the first picture and the error of the third", got)
		}
	})
}
