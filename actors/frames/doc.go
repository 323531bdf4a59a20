// Package frames encodes pictures for browsers: nothing for an unchanged picture,
// a palette PNG for up to 256 colours, else JPEG. Some colours more that are near to
// those (lines that are drawn smoothly) become these: by less than JPEG changes them.
//
// JPEG is made by libjpeg-turbo where libturbojpeg.so.0 can be loaded at run time,
// six times faster than image/jpeg, which is used elsewhere. Loading needs the
// system's dynamic linker; the build tag "static" leaves it out, for a binary that
// needs nothing of the system.
//
// It owns the choice of codec and the memory of the last picture of one episode.
// It refuses frames whose pixels do not fit their size.
package frames
