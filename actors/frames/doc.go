// Package frames encodes pictures for browsers: nothing for an unchanged picture,
// a palette PNG for up to 256 colours, else JPEG.
//
// It owns the choice of codec and the memory of the last picture of one episode.
// It refuses frames whose pixels do not fit their size.
package frames
