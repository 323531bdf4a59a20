package classic

import (
	"math"
	"sync"

	"sharpie/envs"
	"sharpie/envs/draw"
)

// The size of both pictures, in pixels.
const (
	sceneWidth  = 600
	sceneHeight = 400
)

// mountainScene is what never moves, shared by all mountain cars.
type mountainScene struct {
	background                   *draw.Canvas
	body, wheel, hub, glass, ink draw.Color
}

// mountainScale is pixels per unit of position: the picture shows -1.2 to 0.6.
const mountainScale = sceneWidth / (carMaxPosition - carMinPosition)

// carSize is pixels per unit of the car's drawing.
const carSize = 1.25

// mountainY is the height of the track on the picture, at a position.
func mountainY(position float64) float64 {
	return sceneHeight + 10 - mountainScale*(math.Sin(3*position)*0.45+0.55)
}

var theMountain = sync.OnceValue(func() *mountainScene {
	var p draw.Palette
	s := &mountainScene{}
	sky, ground := p.Add(draw.Paper), p.Add(0xCFE3D6)
	track := p.Add(draw.Green)
	s.body, s.ink, s.glass = p.Add(draw.Blue), p.Add(draw.Ink), p.Add(draw.White)
	flag := p.Add(draw.Amber)
	s.wheel, s.hub = s.ink, s.glass
	p.Ramp(sky, track, s.body, s.ink, flag)
	p.Ramp(ground, track, s.ink)
	p.Ramp(s.ink, s.body, s.glass)
	p.Ramp(s.body, s.glass)
	palette := p.Done()

	b := draw.NewCanvas(sceneWidth, sceneHeight, palette, sky)
	curve := make([]draw.Point, 0, sceneWidth+3)
	for x := -2.0; x <= sceneWidth+2; x += 2 {
		curve = append(curve, draw.Point{X: x, Y: mountainY(carMinPosition + x/mountainScale)})
	}
	area := append([]draw.Point{{X: -2, Y: sceneHeight + 2}}, curve...)
	b.Fill(append(area, draw.Point{X: sceneWidth + 2, Y: sceneHeight + 2}), ground)
	b.Stroke(curve, 4, track)

	x := (carGoalPosition - carMinPosition) * mountainScale
	y := mountainY(carGoalPosition)
	b.Line(x, y-1, x, y-58, 4, s.ink)
	b.Convex([]draw.Point{{X: x + 2, Y: y - 58}, {X: x + 34, Y: y - 47}, {X: x + 2, Y: y - 36}}, flag)
	s.background = b
	return s
})

func (m *mountainCar) Draw() envs.Frame {
	s := theMountain()
	if m.canvas == nil {
		m.canvas = s.background.Clone()
	}
	c := m.canvas
	c.Restore(s.background)

	// the car stands on the track, turned along it
	position := m.state.Position
	x, y := (position-carMinPosition)*mountainScale, mountainY(position)
	sin, cos := math.Sincos(-math.Atan(math.Cos(3*position) * 3 * 0.45))
	// at is the point u ahead of the middle and v above the track
	at := func(u, v float64) draw.Point {
		u, v = u*carSize, v*carSize
		return draw.Point{X: x + u*cos + v*sin, Y: y + u*sin - v*cos}
	}
	body := [...]draw.Point{at(-25, 9), at(25, 9), at(25, 18), at(22, 21), at(-22, 21), at(-25, 18)}
	cabin := [...]draw.Point{at(-15, 20), at(15, 20), at(9, 33), at(-10, 33)}
	glass := [...]draw.Point{at(-10, 22), at(10, 22), at(6, 30), at(-7, 30)}
	c.Convex(cabin[:], s.body)
	c.Convex(body[:], s.body)
	c.Convex(glass[:], s.glass)
	for _, u := range [...]float64{-14, 14} {
		hub := at(u, 9)
		c.Disc(hub.X, hub.Y, 8.5*carSize, s.wheel)
		c.Disc(hub.X, hub.Y, 3.5*carSize, s.hub)
	}
	return c.Frame()
}
