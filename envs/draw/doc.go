// Package draw draws the pictures of the built-in environments: anti-aliased
// shapes and text on canvases of palette indices, so that a frame is one byte
// per pixel and travels as a small palette PNG. Smooth edges come from shades
// that a Palette holds between its colours.
//
// Shapes for what moves (Rect, Disc, Ring, Convex, Line, Stamp) do not allocate
// and are noted, so that Restore can put the background back under them.
// It refuses to know any environment, and to scale: one unit is one pixel.
package draw
