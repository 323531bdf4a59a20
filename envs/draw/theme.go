package draw

// The colours that all built-in environments share, 0xRRGGBB. Roles are told
// apart by blue and vermilion, which colour-blind people tell apart as well
// (Okabe & Ito 2008, darkened a little for white ground), and by shape besides.
const (
	Paper     = 0xF6F8FB // background
	Mist      = 0xE3E9F1 // grid lines, quiet areas
	Slate     = 0x8493A8 // obstacles, secondary lines
	Ink       = 0x1E2A3A // outlines, text
	White     = 0xFFFFFF
	Blue      = 0x1F6FD6 // the role that people usually play
	Vermilion = 0xD9480F // its opponent
	Purple    = 0x7B4FC9 // further roles
	Teal      = 0x0E8A9C
	Amber     = 0xF2A900 // goals
	Green     = 0x1A936F // ground, things achieved
)
