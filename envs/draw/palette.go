package draw

import "fmt"

// Color is an index into a Palette.
type Color uint8

// steps is how many shades coverage has: 0 is untouched, steps is covered.
const steps = 4

// Palette is up to 256 colours, and how they mix. It is filled once, by Add and
// Ramp, and then only read, by any number of canvases.
type Palette struct {
	rgb []byte
	// blend[c][s][under] is the colour of which s/steps is c and the rest is
	// under: the nearest there is in the palette.
	blend [][steps + 1][256]Color
}

// Add adds a colour, 0xRRGGBB, and returns its index. A palette that is full is
// a programmer's error and panics.
func (p *Palette) Add(rgb uint32) Color {
	if len(p.rgb) == 3*256 {
		panic("draw: a palette has at most 256 colours")
	}
	p.rgb = append(p.rgb, byte(rgb>>16), byte(rgb>>8), byte(rgb))
	p.blend = nil
	return Color(len(p.rgb)/3 - 1)
}

// Ramp adds the shades between one colour and each of the others: smooth edges
// where they meet. Edges between colours without a ramp use the nearest shades.
func (p *Palette) Ramp(from Color, to ...Color) {
	for _, other := range to {
		for s := 1; s < steps; s++ {
			r, g, b := p.mix(other, from, s)
			p.Add(uint32(r)<<16 | uint32(g)<<8 | uint32(b))
		}
	}
}

// Done computes how colours mix. It returns the palette, for assignment.
func (p *Palette) Done() *Palette {
	n := len(p.rgb) / 3
	p.blend = make([][steps + 1][256]Color, n)
	for c := range p.blend {
		for s := 0; s <= steps; s++ {
			for under := range n {
				p.blend[c][s][under] = p.nearest(p.mix(Color(c), Color(under), s))
			}
		}
		// exact at both ends, also where a colour is there twice
		for under := range n {
			p.blend[c][0][under] = Color(under)
			p.blend[c][steps][under] = Color(c)
		}
	}
	return p
}

// RGB is the palette as envs.Frame takes it; not to be changed.
func (p *Palette) RGB() []byte { return p.rgb }

func (p *Palette) String() string { return fmt.Sprintf("palette of %d colours", len(p.rgb)/3) }

// mix is s/steps of colour c over colour under.
func (p *Palette) mix(c, under Color, s int) (r, g, b int) {
	a, z := p.rgb[3*int(c):], p.rgb[3*int(under):]
	of := func(i int) int { return (int(a[i])*s + int(z[i])*(steps-s) + steps/2) / steps }
	return of(0), of(1), of(2)
}

func (p *Palette) nearest(r, g, b int) Color {
	best, found := 1<<30, 0
	for i := 0; i < len(p.rgb); i += 3 {
		dr, dg, db := int(p.rgb[i])-r, int(p.rgb[i+1])-g, int(p.rgb[i+2])-b
		// the eye sees green best and blue least
		if d := 3*dr*dr + 4*dg*dg + 2*db*db; d < best {
			best, found = d, i/3
		}
	}
	return Color(found)
}
