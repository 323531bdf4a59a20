package link

import (
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// MachineLoad is how many processes of this machine run or want to, per core, over a
// minute; false where the system does not tell.
func MachineLoad() (float64, bool) {
	text, err := os.ReadFile("/proc/loadavg") // Linux; elsewhere there is none
	if err != nil {
		return 0, false
	}
	return parseLoad(string(text), runtime.NumCPU())
}

// parseLoad reads "0.20 0.18 0.12 1/80 11206": the first number is over a minute.
func parseLoad(text string, cores int) (float64, bool) {
	first, _, _ := strings.Cut(text, " ")
	sum, err := strconv.ParseFloat(first, 64)
	if err != nil || sum < 0 || math.IsNaN(sum) || math.IsInf(sum, 0) || cores < 1 {
		return 0, false
	}
	return min(sum/float64(cores), maxLoad/1000), true
}
