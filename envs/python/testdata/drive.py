"""Drives a worker over a socket pair, for tests: the other side of the channel."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
WORKER = os.path.join(os.path.dirname(HERE), "run.py")


class WorkerError(Exception):
    """The error of a reply; error is all of it."""

    def __init__(self, error):
        Exception.__init__(self, "%(phase)s %(role)s: %(type)s: %(message)s\n%(traceback)s" % error)
        self.error = error


class Drive:
    """One worker. Requests are called by their names; __exit__ ends it."""

    def __init__(self, python=sys.executable, env=None):
        ours, theirs = socket.socketpair()
        self.progress = tempfile.TemporaryFile()
        self.progress.truncate(16)
        low = os.dup(theirs.fileno()), os.dup(self.progress.fileno())

        def place():
            # by way of high numbers, so that neither overwrites the other
            a, b = os.dup(low[0]), os.dup(low[1])
            os.dup2(a, 90), os.dup2(b, 91)
            os.dup2(90, 3), os.dup2(91, 4)
            os.closerange(5, 100)

        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [python, "-u", "-X", "faulthandler", WORKER], stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out,
            env=dict(os.environ, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", **(env or {})),
            preexec_fn=place, close_fds=False, start_new_session=True,
        )  # fmt: skip
        for fd in low:
            os.close(fd)
        theirs.close()
        self.socket = ours
        self.socket.settimeout(60)
        self.hello, _ = self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        if self.process.poll() is None:
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.out.close()
        self.progress.close()

    def exact(self, n):
        out = b""
        while len(out) < n:
            got = self.socket.recv(min(n - len(out), 1 << 20))
            if not got:
                raise EOFError
            out += got
        return out

    def read(self):
        total, size = struct.unpack("<II", self.exact(8))
        rest = self.exact(total - 4)
        head, at, blobs = json.loads(rest[:size], parse_constant=self.fail), size, []
        while at < len(rest):
            (n,) = struct.unpack_from("<I", rest, at)
            blobs.append(rest[at + 4 : at + 4 + n])
            at += 4 + n
        return head, blobs

    def fail(self, constant):
        raise AssertionError("the header holds %s, which is no JSON" % constant)

    def send(self, op, blobs=(), **members):
        head = json.dumps(dict(members, op=op)).encode()
        body = head + b"".join(struct.pack("<I", len(b)) + b for b in blobs)
        self.socket.sendall(struct.pack("<II", 4 + len(body), len(head)) + body)

    def ask(self, op, blobs=(), **members):
        self.send(op, blobs, **members)
        reply, self.blobs = self.read()
        if "error" in reply:
            raise WorkerError(reply["error"])
        return reply["ok"]

    def load(self, source="", root=None, file="environment.py", roles=("agent_0",), **more):
        members = {"seed": 1, "root": root, "gallery": None, "source": source, "kwargs": {}, "file": file, "metadata": {}, "frame_format": "auto",
                   "memory": 0, "render": True}  # fmt: skip
        roles = [r if isinstance(r, dict) else {"role": r, "env_agent_id": "", "policy": True} for r in roles]
        members.update(more, roles=roles)
        return self.ask("load", **members)

    def policy(self, role="agent_0", file="policy.py", state=None, **more):
        members = {"kwargs": {}, "seed": 2, "learns": True, "every": 1, "action": None, "observation": None}
        members.update(more)
        return self.ask("policy", [] if state is None else [state], role=role, file=file, state=None if state is None else 0, **members)

    def reset(self, seed=3, draw=True):
        return self.ask("reset", seed=seed, draw=draw)

    def turn(self, *turns, **more):
        draw = more.pop("draw", True)
        return self.ask("turn", more.pop("blobs", ()), turns=[fill(t) for t in turns], draw=draw)

    def state(self, role="agent_0"):
        reply = self.ask("state", role=role)
        return (None if reply["state"] is None else self.blobs[reply["state"]]), reply["version"]

    def printed(self):
        self.out.seek(0)
        return self.out.read().decode("utf-8", "replace")

    def ended(self):
        """The exit code of a worker that ends by itself."""
        return self.process.wait(20)

    def at(self):
        """The phase and the role under way."""
        return tuple(os.pread(self.progress.fileno(), 2, 0))


def fill(turn):
    out = {"role": "agent_0", "acts": True, "ask": False, "action": None, "final": False, "advice": None, "learn": None}
    out.update(turn)
    return out


def lesson(reward=None, terminated=False, truncated=False):
    return {"reward": reward, "terminated": terminated, "truncated": truncated}
