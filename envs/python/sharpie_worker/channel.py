"""The channel: frames of a header and blobs, over a socket."""

import fcntl
import json
import os
import socket
import struct

from .bounds import MAX_BLOBS, MAX_FRAME, MAX_HEADER
from .errors import Fault

U32 = struct.Struct("<I")
PAIR = struct.Struct("<II")

to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


class Channel:
    """Frames over a socket. It is moved away from its descriptor, so that code which
    closes low descriptors, or children of it, do not meet it."""

    def __init__(self, fd):
        own = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 96)
        os.close(fd)
        self.socket = socket.socket(fileno=own)
        self.socket.setblocking(True)
        self.buffer = bytearray(64 << 10)
        self.view = memoryview(self.buffer)
        self.start = self.end = 0

    def read(self):
        """The next frame: its header and its blobs. EOFError at the end."""
        self._fill(8)
        total, size = PAIR.unpack_from(self.buffer, self.start)
        self.start += 8
        left = total - 4 - size
        if total > MAX_FRAME or size > MAX_HEADER or left < 0:
            raise ValueError("a frame of %d bytes with a header of %d" % (total, size))
        if size <= len(self.buffer) - 8:
            self._fill(size)
            head = json.loads(self.view[self.start : self.start + size].tobytes())
            self.start += size
        else:
            head = json.loads(self._exact(size))
        blobs = []
        while left > 0:
            self._fill(4)
            (n,) = U32.unpack_from(self.buffer, self.start)
            self.start += 4
            left -= 4 + n
            if left < 0 or len(blobs) == MAX_BLOBS:
                raise ValueError("a blob is longer than its frame")
            blobs.append(self._exact(n))
        return head, blobs

    def _fill(self, n):
        """Buffers at least n bytes; n is at most the buffer's size."""
        while self.end - self.start < n:
            if self.start:
                rest = self.end - self.start
                self.buffer[:rest] = self.buffer[self.start : self.end]
                self.start, self.end = 0, rest
            got = self.socket.recv_into(self.view[self.end :])
            if not got:
                raise EOFError
            self.end += got

    def _exact(self, n):
        """The next n bytes, in memory of their own."""
        out = bytearray(n)
        have = min(n, self.end - self.start)
        out[:have] = self.view[self.start : self.start + have]
        self.start += have
        view = memoryview(out)
        while have < n:
            got = self.socket.recv_into(view[have:])
            if not got:
                raise EOFError
            have += got
        return out

    def write(self, head, blobs):
        """Sends a frame. Large blobs are sent from where they are."""
        size = len(head)
        if not blobs:
            self.socket.sendall(PAIR.pack(4 + size, size) + head)
            return
        total = 4 + size + 4 * len(blobs) + sum(map(len, blobs))
        if total > MAX_FRAME or size > MAX_HEADER or len(blobs) > MAX_BLOBS:
            raise Fault(
                "the answer has %d MiB in %d arrays: allowed are %d MiB and %d arrays"
                % (total >> 20, len(blobs), MAX_FRAME >> 20, MAX_BLOBS)
            )
        pieces, small = [], [PAIR.pack(total, size), head]
        for blob in blobs:
            small.append(U32.pack(len(blob)))
            if len(blob) <= 4096:
                small.append(blob)
                continue
            pieces.append(b"".join(small))
            pieces.append(blob)
            small = []
        if small:
            pieces.append(b"".join(small))
        self._send(pieces)

    def _send(self, pieces):
        if len(pieces) == 1:
            self.socket.sendall(pieces[0])
            return
        views = [memoryview(p) for p in pieces]
        at = 0
        while at < len(views):
            sent = self.socket.sendmsg(views[at : at + 512])
            while at < len(views) and sent >= len(views[at]):
                sent -= len(views[at])
                at += 1
            if sent:
                views[at] = views[at][sent:]

    def forget(self):
        """Closes it in a child, which shares it otherwise."""
        os.close(self.socket.detach())
