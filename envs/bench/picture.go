package bench

import (
	"encoding/binary"

	"sharpie/envs"
)

// palette is the 16 colours of the game: two of the ground, one of the ball, one
// of the frame, eight of the squares, and four of the fixed ornaments.
var palette = []byte{
	0xF6, 0xF8, 0xFB, 0xE3, 0xE9, 0xF1, 0x1E, 0x2A, 0x3A, 0x84, 0x93, 0xA8,
	0x1F, 0x6F, 0xD6, 0xD9, 0x48, 0x0F, 0xF2, 0xA9, 0x00, 0x1A, 0x93, 0x6F,
	0x7B, 0x4F, 0xC9, 0xC2, 0x3B, 0x80, 0x2B, 0xA6, 0xB8, 0x7A, 0x8B, 0x1E,
	0xCF, 0xE3, 0xD6, 0xBF, 0xD7, 0xF2, 0xF6, 0xD9, 0xC9, 0xFF, 0xFF, 0xFF,
}

// Indices into palette.
const (
	groundColor = 0
	ballColor   = 2
	frameColor  = 3
	firstSquare = 4
)

// picture draws the world; its memory is made when it is first drawn.
type picture struct {
	size       int
	frames     string
	background []byte
	pix        []byte
	dirty      [][2]int // corners of the squares drawn last
	rgb        []byte
	noise      uint64 // key of the noise in rgb
}

func newPicture(size int, frames string) *picture { return &picture{size: size, frames: frames} }

// square is the side of a square in pixels.
func (p *picture) square() int { return max(p.size/12, 2) }

func (p *picture) draw(s *state, roles int) envs.Frame {
	if p.frames == "noise" {
		return p.drawNoise(s.Noise)
	}
	if p.pix == nil {
		p.background = ground(p.size)
		p.pix = append([]byte(nil), p.background...)
	}
	if p.frames == "game" {
		p.drawGame(s, min(roles, sprites))
	}
	return envs.Frame{Width: p.size, Height: p.size, Index: p.pix, Palette: palette}
}

// drawGame puts the ground back under the squares of the last picture and draws
// the new ones.
func (p *picture) drawGame(s *state, squares int) {
	for _, at := range p.dirty {
		p.block(at[0], at[1], func(line, under []byte) { copy(line, under) })
	}
	p.dirty = p.dirty[:0]
	for i := range squares {
		p.sprite(s.X[i], s.Y[i], byte(firstSquare+i))
	}
	p.sprite(s.Ball[0], s.Ball[1], ballColor)
}

// sprite draws a square and notes where it was.
func (p *picture) sprite(x, y int, color byte) {
	p.block(x, y, func(line, _ []byte) {
		for i := range line {
			line[i] = color
		}
	})
	p.dirty = append(p.dirty, [2]int{x, y})
}

// block calls f for every run of pixels of a square, which may wrap around.
func (p *picture) block(x, y int, f func(line, under []byte)) {
	side := p.square()
	first := min(side, p.size-x)
	for dy := range side {
		row := (y + dy) % p.size * p.size
		f(p.pix[row+x:row+x+first], p.background[row+x:row+x+first])
		if rest := side - first; rest > 0 {
			f(p.pix[row:row+rest], p.background[row:row+rest])
		}
	}
}

// ground is tiles, a frame around them and a few coloured ones.
func ground(size int) []byte {
	pix := make([]byte, size*size)
	tile := max(size/8, 2)
	for y := range size {
		for x := range size {
			tx, ty := x/tile, y/tile
			k := byte(groundColor + (tx+ty)%2)
			switch {
			case x == 0 || y == 0 || x == size-1 || y == size-1:
				k = frameColor
			case (3*tx+5*ty)%11 == 0:
				k = byte(12 + (tx+ty)%4)
			}
			pix[y*size+x] = k
		}
	}
	return pix
}

// drawNoise fills the picture with noise from the key, about 1 ns per 8 bytes.
func (p *picture) drawNoise(key uint64) envs.Frame {
	if p.rgb == nil {
		// a multiple of 8, so that every write is a whole word
		p.rgb = make([]byte, (3*p.size*p.size+7)/8*8)
		p.noise = ^key
	}
	if p.noise != key {
		fill(p.rgb, key)
		p.noise = key
	}
	return envs.Frame{Width: p.size, Height: p.size, RGB: p.rgb[:3*p.size*p.size]}
}

// fill writes noise; the length is a multiple of 8.
func fill(b []byte, key uint64) {
	for ; len(b) >= 8; b = b[8:] {
		// splitmix64 (Steele, Lea & Flood 2014)
		key += 0x9E3779B97F4A7C15
		z := key
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		binary.LittleEndian.PutUint64(b, z^z>>31)
	}
}
