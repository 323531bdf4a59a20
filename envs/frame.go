package envs

// Frame is a picture of width × height pixels, rows from top to bottom. Exactly
// one of RGB and Index is set; an environment with few colours sets Index,
// which is cheaper to encode and to send.
type Frame struct {
	Width, Height int
	// RGB has 3 bytes per pixel (red, green, blue), len = 3·Width·Height.
	RGB []byte
	// Index has one byte per pixel, an index into Palette, len = Width·Height.
	Index []byte
	// Palette has 3 bytes per colour, at most 256 colours.
	Palette []byte
}

// Empty reports whether there is no picture at all.
func (f Frame) Empty() bool { return f.RGB == nil && f.Index == nil }
