"""Goes wrong where its metadata says, in the way that it says."""

import ctypes
import os
import subprocess
import sys
import time


def raise_error():
    raise ValueError("deliberate")


def endless():
    while True:
        pass


def endless_c():
    ctypes.CDLL(None).sleep(100000)


def power():
    return pow(7, 10 ** 9)  # one long call that never looks for signals


def segfault():
    ctypes.string_at(0)


def flood():
    for i in range(200000):
        print("flood", i, "x" * 50)


def flood_endless():
    while True:
        print("flood" * 100)


def memory():
    return [bytearray(1 << 20) for _ in range(1 << 20)]


def child():
    # it leaves the session and outlives its parent
    p = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
    print("child", p.pid)


def descriptors():
    os.closerange(3, 64)


def streams():
    os.close(1)
    os.close(2)


def recursion():
    return recursion()


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def unprintable():
    raise Unprintable()


def missing():
    import package_that_is_not_there


WAYS = {
    "raise": raise_error, "exit": lambda: os._exit(7), "sys_exit": lambda: sys.exit(3), "segfault": segfault, "endless": endless,
    "endless_c": endless_c, "power": power, "flood": flood, "flood_endless": flood_endless, "memory": memory, "child": child, "descriptors": descriptors,
    "streams": streams, "recursion": recursion, "unprintable": unprintable, "missing": missing, "abort": os.abort,
    "interrupt": lambda: (_ for _ in ()).throw(KeyboardInterrupt()), "sleep": lambda: time.sleep(0.2),
}  # fmt: skip


class Fault:
    def __init__(self, phase="", way="raise", returns=None):
        self.phase, self.way, self.returns = phase, way, returns
        self.at("load")

    def at(self, phase):
        if phase == self.phase:
            WAYS[self.way]()

    def reset(self):
        self.at("reset")
        self.count = 0
        return (0, {}) if self.returns != "reset" else None

    def step(self, actions):
        self.at("step")
        self.count += 1
        return (self.count, 0.0, self.count >= 5, False, {}) if self.returns != "step" else (1, 2)

    def render(self):
        self.at("render")
        if self.returns == "floats":
            return [[[0.5, 0.5, 0.5]]]
        return [[[0, 0, 0]] * 4] * 4 if self.returns != "render" else [1]

    def close(self):
        self.at("close")


environment = Fault
