package draw

import "math"

// Rect covers the axis-parallel rectangle between two corners.
func (c *Canvas) Rect(x0, y0, x1, y1 float64, k Color) {
	box := c.box(x0, y0, x1, y1)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		v := overlap(float64(y), y0, y1)
		for x := box.Min.X; x < box.Max.X; x++ {
			c.over(x, y, v*overlap(float64(x), x0, x1), k)
		}
	}
}

// overlap is how much of the pixel from p to p+1 lies between a and b.
func overlap(p, a, b float64) float64 { return min(p+1, b) - max(p, a) }

// Disc covers a disc.
func (c *Canvas) Disc(x, y, radius float64, k Color) { c.Ring(x, y, radius, radius, k) }

// Ring covers the band of the given thickness inside the circle.
func (c *Canvas) Ring(x, y, radius, thickness float64, k Color) {
	if !(radius > 0) {
		return
	}
	inner := radius - thickness // of the hole; not positive: none
	box := c.box(x-radius-0.5, y-radius-0.5, x+radius+0.5, y+radius+0.5)
	for py := box.Min.Y; py < box.Max.Y; py++ {
		dy := float64(py) + 0.5 - y
		// beyond edge nothing is covered; within core all pixels are alike:
		// covered, or those of the hole
		edge, core := reach(radius+0.5, dy), reach(radius-0.5, dy)
		if inner > 0 {
			core = reach(inner-0.5, dy)
		}
		left, right := max(box.Min.X, int(math.Floor(x-edge))), min(box.Max.X, int(math.Ceil(x+edge)))
		from, to := max(left, int(math.Ceil(x-core+0.5))), min(right, int(math.Floor(x+core-0.5)))
		if core == 0 || from >= to {
			from, to = right, right
		}
		for px := left; px < from; px++ {
			c.over(px, py, ringCoverage(float64(px)+0.5-x, dy, radius, inner), k)
		}
		if from < to && inner <= 0 {
			c.row(py, from, to, k)
		}
		for px := to; px < right; px++ {
			c.over(px, py, ringCoverage(float64(px)+0.5-x, dy, radius, inner), k)
		}
	}
}

// reach is half the width of a circle at height dy from its centre.
func reach(radius, dy float64) float64 {
	if radius <= math.Abs(dy) {
		return 0
	}
	return math.Sqrt(radius*radius - dy*dy)
}

func ringCoverage(dx, dy, radius, inner float64) float64 {
	d := math.Sqrt(dx*dx + dy*dy)
	cover := min(radius-d+0.5, 1)
	if inner > 0 {
		cover = min(cover, d-inner+0.5)
	}
	return cover
}

// Convex covers a convex polygon, given in either direction, of at most 32 corners.
func (c *Canvas) Convex(corners []Point, k Color) {
	n := len(corners)
	if n < 3 || n > 32 {
		return
	}
	x0, y0, x1, y1 := corners[0].X, corners[0].Y, corners[0].X, corners[0].Y
	area := 0.0
	for i, p := range corners {
		q := corners[(i+1)%n]
		area += p.X*q.Y - q.X*p.Y
		x0, y0, x1, y1 = min(x0, p.X), min(y0, p.Y), max(x1, p.X), max(y1, p.Y)
	}
	// every edge as nx·x + ny·y + d: the distance outside of it
	var edges [32][3]float64
	sides := 0
	for i, p := range corners {
		q := corners[(i+1)%n]
		nx, ny := q.Y-p.Y, p.X-q.X
		length := math.Hypot(nx, ny)
		if length == 0 {
			continue
		}
		if area < 0 {
			length = -length
		}
		nx, ny = nx/length, ny/length
		edges[sides] = [3]float64{nx, ny, -nx*p.X - ny*p.Y}
		sides++
	}
	box := c.box(x0-0.5, y0-0.5, x1+0.5, y1+0.5)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		c.convexRow(edges[:sides], y, box.Min.X, box.Max.X, k)
	}
}

// convexRow covers one row of a convex polygon, between two pixels.
func (c *Canvas) convexRow(edges [][3]float64, y, left, right int, k Color) {
	cy := float64(y) + 0.5
	edge0, edge1 := float64(left), float64(right)
	solid0, solid1 := edge0, edge1
	for _, e := range edges {
		rest := e[1]*cy + e[2]
		// the pixel centre x is within reach where nx·x + rest < 0.5, and wholly
		// inside where it is < -0.5
		switch {
		case e[0] > 1e-9:
			edge1 = min(edge1, (0.5-rest)/e[0])
			solid1 = min(solid1, (-0.5-rest)/e[0])
		case e[0] < -1e-9:
			edge0 = max(edge0, (0.5-rest)/e[0])
			solid0 = max(solid0, (-0.5-rest)/e[0])
		default:
			if rest >= 0.5 {
				return
			}
			if rest > -0.5 {
				solid1 = solid0
			}
		}
	}
	first, last := max(left, int(math.Floor(edge0-0.5))), min(right, int(math.Ceil(edge1+0.5)))
	from, to := max(first, int(math.Ceil(solid0-0.5))), min(last, int(math.Floor(solid1+0.5)))
	if from >= to {
		from, to = last, last
	}
	for x := first; x < from; x++ {
		c.over(x, y, convexCoverage(edges, float64(x)+0.5, cy), k)
	}
	if from < to {
		c.row(y, from, to, k)
	}
	for x := to; x < last; x++ {
		c.over(x, y, convexCoverage(edges, float64(x)+0.5, cy), k)
	}
}

func convexCoverage(edges [][3]float64, x, y float64) float64 {
	worst := math.Inf(-1)
	for _, e := range edges {
		worst = max(worst, e[0]*x+e[1]*y+e[2])
	}
	return min(0.5-worst, 1)
}

// Line covers a straight line of the given width with round ends.
func (c *Canvas) Line(x0, y0, x1, y1, width float64, k Color) {
	r := width / 2
	if length := math.Hypot(x1-x0, y1-y0); length > 0 {
		nx, ny := -(y1-y0)/length*r, (x1-x0)/length*r
		corners := [...]Point{{x0 + nx, y0 + ny}, {x1 + nx, y1 + ny}, {x1 - nx, y1 - ny}, {x0 - nx, y0 - ny}}
		c.Convex(corners[:], k)
	}
	c.Disc(x0, y0, r, k)
	c.Disc(x1, y1, r, k)
}
