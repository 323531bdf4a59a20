// Package python runs researchers' Python: environments of their own files, of
// Gymnasium and of PettingZoo, and the policies beside them. It owns the worker (an
// embedded Python package), its process, the channel, deadlines, limits and confinement.
// It refuses to know who plays, and nothing is unpickled on this side.
//
// # Processes
//
// A Pool starts worker processes and keeps a spare of the interpreters used last,
// which has imported what takes long and nothing of any experiment. A worker loads one
// experiment once and is then its; gallery files get a fresh worker for each episode.
// PYTHONHASHSEED is 0 in all of them: a spare starts before anybody knows a seed.
// Whatever goes wrong inside is a *envs.Fault, ends the process group, and leaves
// nothing behind.
//
// # The channel
//
// A socket pair, on file descriptor 3 of the worker. Standard output and error are
// captured apart from it. Both sides send frames:
//
//	u32 length       of all that follows, little-endian, at most 256 MiB
//	u32 header       its length
//	header           JSON, UTF-8
//	blobs            each u32 length, then the bytes, in the order of their numbers
//
// The worker speaks first ({"op": "hello", …}); then every request gets exactly one
// reply, {"ok": …} or {"error": {"phase", "role", "type", "message", "traceback",
// "state"}}. "state" is set where the worker itself knows better: "out_of_memory",
// "bad_experiment".
//
// # Progress
//
// File descriptor 4 of the worker, where it is open, is a file of 16 bytes for the worker
// to map and write to. Before it calls researchers' code it writes byte 0, the phase: 0
// idle, 1 load, 2 reset, 3 step, 4 render, 5 act, 6 update, 7 checkpoint, 8 close; and
// byte 1, the role: 0 for the environment's own code, else 1 + its place among the roles
// that load answered (of source "none": in the roles of the request), 255 for any other.
// Afterwards it writes zeros. So what was under way is known of a worker that is dead.
// Neither of the descriptors is inherited by children of the worker.
//
// # Values
//
// A value in a header is JSON, with these objects for what JSON lacks:
//
//	{"$array": 2, "dtype": "float32", "shape": [3]}   elements are blob 2, little-endian
//	{"$tuple": [v, …]}        a tuple; a bare JSON list is a Python list
//	{"$dict": [[k, v], …]}    a dict, in order; a key that is no string is written str(key)
//	{"$float": "nan"|"inf"|"-inf"}
//	{"$opaque": "module.Class", "sha256": "…"}   any other object, and its pickle's hash; no hash where it has none
//
// On this side an integer is envs.Int, a text envs.Text, true and false scalars of dtype
// bool, other numbers scalars of float64, None an empty Tuple, lists and tuples Tuple,
// dicts Dict, opaque objects a Dict of the two texts "python_type" and "sha256".
// A numpy scalar of an integer is written as an integer, another as an array of shape [].
// An action goes to the worker as its space wants it: Discrete as int, Box,
// MultiDiscrete and MultiBinary as arrays of the space's dtype, Text as str; of an opaque
// space as plain JSON, a Tuple as a list.
//
// A space is {"type": "discrete", "n", "start"} | {"type": "multidiscrete", "nvec"} |
// {"type": "multibinary", "shape"} | {"type": "box", "dtype", "shape", "low", "high"}
// (flat lists, or one number for all, with "inf" and "-inf" as texts) | {"type": "text",
// "min_length", "max_length", "charset"} | {"type": "tuple", "spaces"} | {"type": "dict",
// "spaces": [[key, space], …]} | {"type": "opaque", "repr"}. Spaces without a
// counterpart here (Graph, Sequence, OneOf) are opaque.
//
// A picture is {"$array", "dtype": "uint8", "shape": [height, width, 3]}, RGB, in C order.
//
// # Requests
//
//	hello     (worker → here, once) {"protocol": 1, "python": "3.11.7", "executable", "numpy": "2.4.6"|null, "pid"}
//	warm      {"modules": [...]} → {}; what cannot be imported is left out
//	load      {"seed", "root": folder|null, "gallery": folder|null, "source", "kwargs", "file", "metadata",
//	          "frame_format", "roles": [{"role", "env_agent_id", "policy": true|false}], "memory": bytes, "render": true}
//	          → {"id", "version", "replayable", "why_not", "fps", "max_steps", "width", "height", "turns": true|false,
//	          "roles": [{"role", "observation": space, "action": space, "meanings": [...]|null}], "warnings": [...],
//	          "packages": {name: version}}
//	          source "gymnasium:ID" or "pettingzoo:MODULE"; "" for the file; "none" for policies alone.
//	          A file's roles are those of the experiment, in its order; a source's are its own.
//	policy    {"role", "file", "kwargs", "seed", "learns": bool, "every": interval, "state": blob|null, "action": space, "observation": space}
//	          → {"version", "learner": bool, "checkpointer": bool, "warnings"}
//	reset     {"seed", "draw": bool} → {"roles": [{"role", "observation", "mask": [0,1,…]|null, "waits", "info"}], "frame", "warnings"}
//	turn      {"turns": [{"role", "acts", "ask", "action", "final", "advice", "learn": {"reward": x|null, "terminated", "truncated"}|null}],
//	          "draw": bool}
//	          → {"decisions": [{"policy": v|null, "action": v|null, "version": text|null}], (parallel to turns)
//	          "roles": [{…as in reset, "reward", "terminated", "truncated"}], "frame", "times": {"learn","ask","step","draw"} (µs), "warnings"}
//	render    {} → {"frame"}
//	learn     {"turns": as in turn, only role and learn} → {"versions": [text|null]}
//	act       {"role", "observation", "mask", "advice", "learn": [transition]} → {"action": v|null, "version"}   (policies alone)
//	          an observation of null says that it only learns: "action" is null
//	          transition: {"observation", "action", "reward", "terminated", "truncated", "next_observation", "human"}
//	state     {"role"} → {"state": blob|null, "version"}
//	restore   {"role", "state": blob} → {"version"}
//	close     {} → {}, then the process ends with 0
//
// frame is null where there is none, and where "draw" is false. "role" in requests and
// replies is always the name that load answered. What is printed never touches the
// channel; SIGUSR1 makes the worker print every thread's stack to standard error.
//
// # States
//
// A policy's state is its saved_models folder, as tar; or, where it has get_state and
// set_state, the pickle of what get_state returns, which only a worker unpickles. The first byte says
// which: 'T' or 'P'.
package python
