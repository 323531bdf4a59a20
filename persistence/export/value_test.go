package export

import (
	"encoding/binary"
	"math"
	"testing"

	"sharpie/persistence"
)

func TestArraysAsJSON(t *testing.T) {
	le := binary.LittleEndian
	for name, c := range map[string]struct {
		array persistence.Array
		want  string
	}{
		"uint8 matrix":  {persistence.Array{DType: "uint8", Shape: []int{2, 2}, Data: []byte{0, 1, 254, 255}}, `[[0,1],[254,255]]`},
		"int8":          {persistence.Array{DType: "int8", Shape: []int{2}, Data: []byte{127, 128}}, `[127,-128]`},
		"bool":          {persistence.Array{DType: "bool", Shape: []int{2}, Data: []byte{0, 1}}, `[false,true]`},
		"int16":         {persistence.Array{DType: "int16", Shape: []int{1}, Data: le.AppendUint16(nil, 0xffff)}, `[-1]`},
		"uint64":        {persistence.Array{DType: "uint64", Shape: []int{1}, Data: le.AppendUint64(nil, math.MaxUint64)}, `[18446744073709551615]`},
		"float64":       {persistence.Array{DType: "float64", Shape: []int{2}, Data: le.AppendUint64(le.AppendUint64(nil, math.Float64bits(0.1)), math.Float64bits(math.NaN()))}, `[0.1,"NaN"]`},
		"no dimensions": {persistence.Array{DType: "float32", Shape: []int{}, Data: le.AppendUint32(nil, math.Float32bits(3))}, `3.0`},
		"empty":         {persistence.Array{DType: "float32", Shape: []int{0, 3}}, `[]`},
		"unknown type":  {persistence.Array{DType: "float16", Shape: []int{1}, Data: []byte{1, 2}}, `{"dtype":"float16","shape":[1],"base64":"AQI="}`},
		"too few bytes": {persistence.Array{DType: "int32", Shape: []int{2}, Data: []byte{1}}, `{"dtype":"int32","shape":[2],"base64":"AQ=="}`},
	} {
		got, err := appendJSON(nil, c.array)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, c.want)
		}
	}
	picture := persistence.Array{DType: "uint8", Shape: []int{64, 65}, Data: make([]byte, 64*65)}
	if got, _ := appendJSON(nil, picture); string(got[:34]) != `{"dtype":"uint8","shape":[64,65],"` {
		t.Errorf("a picture begins %.40s", got)
	}
}
