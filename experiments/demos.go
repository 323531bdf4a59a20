package experiments

import (
	"embed"
	"path"
)

//go:embed demos/*.yaml
var demoFiles embed.FS

// Demos returns the demonstration experiments, in the order in which a newcomer
// should meet them.
func Demos() []Source {
	var out []Source
	for _, name := range []string{"mountain-car", "simple-tag", "simple-spread", "frozen-lake", "cart-pole"} {
		file := path.Join("demos", name+".yaml")
		data, err := demoFiles.ReadFile(file)
		if err != nil {
			panic("experiments: demonstration missing from the binary: " + err.Error())
		}
		out = append(out, Source{Name: file, YAML: data})
	}
	return out
}
