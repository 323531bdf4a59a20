// Package making makes whatever a definition names: environments and policies that
// are built into the program, researchers' files, and Gymnasium's and PettingZoo's
// environments by their ids. It is where registries, worker processes, interpreters
// and bundles come together: the Maker that the runner, the checks and the
// verification use. It refuses to run episodes, and to install anything unless Prepare
// asks for it.
//
// # Where a policy lives
//
// A policy in Python lives in the process of its environment, where that is a Python
// one; that of a Go environment has a worker without an environment, one for all
// policies of an episode, which ends with the last of them; a drop-out policy has a
// worker of its own there. Policies of Go act anywhere.
//
// # Which interpreter
//
// The one that the definition names: interpreter, conda_environment, or python_version
// and dependencies. A definition that names none gets the operator's own, where one was
// named, as it is. Else it gets the default interpreter, where that has the packages
// that the source is known to need (the table in requirement.go), else one that was
// built with them.
package making
