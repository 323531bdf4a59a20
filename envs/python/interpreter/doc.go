// Package interpreter finds the Python that an experiment runs on, and builds it
// ahead where it has to be built: a virtual environment with the packages that the
// experiment names. It owns the folder in which built ones are kept and nothing else
// on the machine; it refuses to install anything in an interpreter that somebody
// else made, and to build while a participant waits: Find never does.
//
// # Which interpreter
//
//	Path          a Python program, or a virtual environment's folder; taken as it is
//	Conda         the conda environment of that name; taken as it is
//	Version       pythonX.Y on the PATH or of pyenv; where there is none, uv fetches it
//	Dependencies  a virtual environment on Version, else on the default interpreter
//	nothing       the default interpreter as it is
//
// What is taken as it is has to hold the Dependencies already, and to be of the
// Version; which ones it lacks is the error.
//
// # The folder
//
//	KEY/venv-…       the virtual environment
//	KEY/build.log    all that its build printed
//	KEY/built.json   says what was built and where, written last
//	.locks/KEY.lock  held while it is built or removed
//
// KEY is a hash of the requirement, of the platform, and of the default interpreter's
// minor version where that is the base. A virtual environment cannot be moved: its
// scripts name its folder. So it is built where it stays, in a folder with a new
// name, and what makes it exist is the renaming of built.json into place. A build that
// was killed leaves a folder that nobody uses and that the next build removes.
package interpreter
