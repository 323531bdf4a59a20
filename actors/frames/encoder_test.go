package frames

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"

	"sharpie/actors/messages"
	"sharpie/envs"
)

// rgb returns the pixels of a frame as RGB.
func rgb(f envs.Frame) []byte {
	if f.RGB != nil {
		return f.RGB
	}
	var out []byte
	for _, i := range f.Index {
		out = append(out, f.Palette[3*int(i):3*int(i)+3]...)
	}
	return out
}

// pixels returns an image as RGB.
func pixels(img image.Image) []byte {
	var out []byte
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			out = append(out, c.R, c.G, c.B)
		}
	}
	return out
}

// colored is a frame of so many colours in blocks, as RGB or with a palette.
func colored(width, height, colors int, seed uint64, index bool) envs.Frame {
	rng := rand.New(rand.NewPCG(seed, 1))
	f := envs.Frame{Width: width, Height: height}
	for i := range colors {
		f.Palette = append(f.Palette, byte(i), byte(i/2), byte(rng.Uint32()))
	}
	for i := range width * height {
		c := byte((i/7 + i/width/5*3) % colors)
		if rng.IntN(10) == 0 {
			c = byte(rng.IntN(colors))
		}
		f.Index = append(f.Index, c)
	}
	if !index {
		f = envs.Frame{Width: width, Height: height, RGB: rgb(f)}
	}
	return f
}

func noise(width, height int, seed uint64) envs.Frame {
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	f := envs.Frame{Width: width, Height: height, RGB: make([]byte, 3*width*height)}
	_, _ = rng.Read(f.RGB)
	return f
}

func TestPalettePicturesAreExact(t *testing.T) {
	for _, colors := range []int{1, 2, 3, 4, 5, 16, 17, 255, 256} {
		for _, size := range [][2]int{{1, 1}, {7, 3}, {64, 64}, {61, 33}, {600, 400}} {
			for _, index := range []bool{true, false} {
				f := colored(size[0], size[1], colors, 1, index)
				codec, data, changed, err := NewEncoder().Encode(f)
				if err != nil || !changed || codec != messages.Codec_CODEC_PNG {
					t.Fatalf("%v, %d colours: codec %v, changed %v, error %v; want a PNG", size, colors, codec, changed, err)
				}
				img, err := png.Decode(bytes.NewReader(data))
				if err != nil {
					t.Fatalf("%v, %d colours: image/png says %v", size, colors, err)
				}
				if !bytes.Equal(pixels(img), rgb(f)) {
					t.Errorf("%v, %d colours, index %v: the picture has other pixels than the frame", size, colors, index)
				}
			}
		}
	}
}

// smooth is a frame of so many shades, each with a few neighbours beside it.
func smooth(shades int, step byte) envs.Frame {
	f := envs.Frame{Width: 4 * shades, Height: 3}
	for y := range f.Height {
		for x := range f.Width {
			c := byte(x / 4)
			f.RGB = append(f.RGB, c, byte(x/1024)*step, byte(y/3))
		}
	}
	return f
}

func TestSomeShadesMoreThanAPaletteHoldsAreNoReasonForJPEG(t *testing.T) {
	for _, test := range []struct {
		name   string
		shades int
		step   byte
		want   messages.Codec
	}{
		{"near", 256 + 100, nearEnough, messages.Codec_CODEC_PNG},
		{"not near", 256 + 100, nearEnough + 1, messages.Codec_CODEC_JPEG},
		{"too many", 256 + extraColors + 1, 1, messages.Codec_CODEC_JPEG},
	} {
		f := smooth(test.shades, test.step)
		codec, data, _, err := NewEncoder().Encode(f)
		if err != nil || codec != test.want {
			t.Errorf("%s: codec %v, error %v; want %v", test.name, codec, err, test.want)
		}
		if codec != messages.Codec_CODEC_PNG {
			continue
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range pixels(img) {
			if i/3%f.Width < 1024 && p != f.RGB[i] || apart(p, f.RGB[i]) > nearEnough {
				t.Fatalf("%s: byte %d is %d in the picture and %d in the frame", test.name, i, p, f.RGB[i])
			}
		}
	}
}

// Runs of pixels are compared eight at a time: none may be lost at their ends.
func TestRunsOfEveryLengthAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 500 {
		f := envs.Frame{Width: 1 + rng.IntN(200), Height: 1}
		for c := byte(0); len(f.RGB) < 3*f.Width; c++ {
			run := []byte{c, c ^ byte(rng.IntN(2)), byte(rng.IntN(2))}
			for range 1 + rng.IntN(40) {
				f.RGB = append(f.RGB, run...)
			}
		}
		f.RGB = f.RGB[:3*f.Width]
		_, data, _, err := NewEncoder().Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		if img, err := png.Decode(bytes.NewReader(data)); err != nil || !bytes.Equal(pixels(img), f.RGB) {
			t.Fatalf("%d pixels: the picture has other pixels than the frame (%v)", f.Width, err)
		}
	}
}

func TestAnUnchangedFrameIsNotEncoded(t *testing.T) {
	e := NewEncoder()
	f := colored(64, 64, 9, 1, true)
	for i, want := range []bool{true, false, true, false, true} {
		switch i {
		case 2:
			f.Index[5] ^= 1
		case 4:
			f.Palette = bytes.Clone(f.Palette)
			f.Palette[0] ^= 1
		}
		_, data, changed, err := e.Encode(f)
		if err != nil || changed != want || (len(data) > 0) != want {
			t.Errorf("frame %d: changed %v, %d bytes, error %v; want changed %v", i, changed, len(data), err, want)
		}
	}
}

func TestTheEncoderKeepsNoMemoryOfTheFrame(t *testing.T) {
	e := NewEncoder()
	f := colored(16, 16, 4, 1, true)
	if _, _, _, err := e.Encode(f); err != nil {
		t.Fatal(err)
	}
	f.Index[3] ^= 1 // the environment draws into the same memory
	_, data, changed, err := e.Encode(f)
	if err != nil || !changed {
		t.Fatalf("changed %v, error %v; want another picture", changed, err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil || !bytes.Equal(pixels(img), rgb(f)) {
		t.Errorf("the picture is not the frame (%v)", err)
	}
}

func TestManyColoursBecomeJPEG(t *testing.T) {
	// A smooth gradient, so that JPEG stays close to the pixels.
	f := envs.Frame{Width: 96, Height: 80}
	for y := range f.Height {
		for x := range f.Width {
			f.RGB = append(f.RGB, byte(2*x), byte(3*y), byte(x+y))
		}
	}
	w := &workspace{}
	encoders := map[string]func(int, int, []byte) ([]byte, error){"image/jpeg": w.standardJPEG}
	if turbo := newTurbo(); turbo.usable() {
		encoders["libjpeg-turbo"] = turbo.encode
	} else {
		t.Log("not checked: libjpeg-turbo, because libturbojpeg.so.0 is not installed")
	}
	encoders["the encoder"] = func(w, h int, _ []byte) ([]byte, error) {
		codec, data, _, err := NewEncoder().Encode(f)
		if codec != messages.Codec_CODEC_JPEG {
			t.Errorf("codec is %v, want JPEG", codec)
		}
		return data, err
	}
	for name, encode := range encoders {
		data, err := encode(f.Width, f.Height, f.RGB)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: image/jpeg says %v", name, err)
		}
		if b := img.Bounds(); b.Dx() != f.Width || b.Dy() != f.Height {
			t.Fatalf("%s: the picture is %v", name, b)
		}
		sum := 0
		for i, p := range pixels(img) {
			d := int(p) - int(f.RGB[i])
			sum += d * d
		}
		if mean := float64(sum) / float64(len(f.RGB)); mean > 25 {
			t.Errorf("%s: mean square error is %.1f, want a picture close to the frame", name, mean)
		}
	}
}

func TestMalformedFramesAreRefused(t *testing.T) {
	for name, f := range map[string]envs.Frame{
		"nothing":            {Width: 2, Height: 2},
		"no size":            {RGB: []byte{}},
		"negative":           {Width: -2, Height: -2, RGB: make([]byte, 12)},
		"too few bytes":      {Width: 2, Height: 2, RGB: make([]byte, 11)},
		"too few indexes":    {Width: 2, Height: 2, Index: make([]byte, 3), Palette: make([]byte, 3)},
		"no palette":         {Width: 2, Height: 2, Index: make([]byte, 4)},
		"half a colour":      {Width: 2, Height: 2, Index: make([]byte, 4), Palette: make([]byte, 4)},
		"257 colours":        {Width: 2, Height: 2, Index: make([]byte, 4), Palette: make([]byte, 3*257)},
		"outside palette":    {Width: 2, Height: 2, Index: []byte{0, 1, 2, 0}, Palette: make([]byte, 6)},
		"outside, in eights": {Width: 4, Height: 4, Index: []byte{0, 1, 2, 0, 0, 4, 5, 3, 0, 0, 0, 0, 0, 0, 0, 0}, Palette: make([]byte, 15)},
		"far outside":        {Width: 4, Height: 4, Index: []byte{0, 1, 2, 0, 0, 255, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0}, Palette: make([]byte, 15)},
		"outside 200":        {Width: 2, Height: 2, Index: []byte{0, 200, 2, 0}, Palette: make([]byte, 600)},
		"both":               {Width: 1, Height: 1, Index: []byte{0}, RGB: make([]byte, 3), Palette: make([]byte, 3)},
		"larger than sides":  {Width: 1 << 15, Height: 1, RGB: make([]byte, 3<<15)},
	} {
		if _, _, _, err := NewEncoder().Encode(f); !errors.Is(err, ErrFrame) {
			t.Errorf("%s: error is %v, want ErrFrame", name, err)
		}
	}
}

func FuzzPalettePNG(f *testing.F) {
	f.Add(uint8(3), []byte{1, 2, 3}, []byte{0, 0, 0, 9})
	f.Add(uint8(8), bytes.Repeat([]byte{7, 8, 9}, 17), bytes.Repeat([]byte{0, 1, 16}, 40))
	f.Fuzz(func(t *testing.T, width uint8, palette, index []byte) {
		w := int(width)
		if w == 0 || len(index) < w {
			return
		}
		h := len(index) / w
		frame := envs.Frame{Width: w, Height: h, Index: index[:w*h], Palette: palette}
		codec, data, _, err := NewEncoder().Encode(frame)
		if err != nil {
			if !errors.Is(err, ErrFrame) {
				t.Fatalf("error is %v, want ErrFrame", err)
			}
			return
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("codec %v: image/png says %v", codec, err)
		}
		if !bytes.Equal(pixels(img), rgb(frame)) {
			t.Fatal("the picture has other pixels than the frame")
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range []struct {
		name   string
		frames [2]envs.Frame
	}{
		{"game 64x64 index", [2]envs.Frame{blocks(64, 64, 1), blocks(64, 64, 2)}},
		{"game 600x400 index", [2]envs.Frame{blocks(600, 400, 1), blocks(600, 400, 2)}},
		{"game 600x400 rgb", [2]envs.Frame{
			{Width: 600, Height: 400, RGB: rgb(blocks(600, 400, 1))}, {Width: 600, Height: 400, RGB: rgb(blocks(600, 400, 2))}}},
		{"noise 64x64", [2]envs.Frame{noise(64, 64, 1), noise(64, 64, 2)}},
		{"noise 1024x1024", [2]envs.Frame{noise(1024, 1024, 1), noise(1024, 1024, 2)}},
		{"unchanged 600x400", [2]envs.Frame{blocks(600, 400, 1), blocks(600, 400, 1)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := NewEncoder()
			size, i := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				_, data, changed, err := e.Encode(c.frames[i%2])
				if err != nil {
					b.Fatal(err)
				}
				if changed {
					size = len(data)
				}
				i++
			}
			b.ReportMetric(float64(size), "bytes/frame")
		})
	}
}

// blocks looks like a game: a few squares on a plain ground, with a pattern.
func blocks(width, height int, seed uint64) envs.Frame {
	rng := rand.New(rand.NewPCG(seed, 2))
	f := envs.Frame{Width: width, Height: height, Index: make([]byte, width*height)}
	for i := range 16 {
		f.Palette = append(f.Palette, byte(16*i), byte(255-16*i), byte(i))
	}
	for y := range height {
		for x := range width {
			f.Index[y*width+x] = byte(x / 8 % 2)
		}
	}
	for range 6 {
		x0, y0, c := rng.IntN(width*3/4), rng.IntN(height*3/4), byte(2+rng.IntN(14))
		for y := y0; y < y0+height/10; y++ {
			for x := x0; x < x0+width/10; x++ {
				f.Index[y*width+x] = c
			}
		}
	}
	return f
}
