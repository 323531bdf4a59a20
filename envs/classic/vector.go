package classic

import (
	"encoding/binary"
	"math"

	"sharpie/envs"
)

// The shapes of the observations, shared by all of them.
var (
	pair = []int{2}
	four = []int{4}
)

// float32s is a float32 vector of the given shape.
func float32s(shape []int, values ...float64) envs.Value {
	data := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(float32(v)))
	}
	return envs.Array{DType: envs.Float32, Shape: shape, Data: data}
}
