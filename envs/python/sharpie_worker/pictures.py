"""Pictures: what render returned, as the channel has pictures."""

from . import np
from .errors import Fault
from .notices import warnings

FRAME_WANTED = "allowed are uint8 arrays of shape (height, width, 3) or (height, width, 4), or (height, width) for grey, and None"


class Pictures:
    """Turns what render returned into a picture of the channel."""

    def __init__(self):
        self.bgr = False
        self.memory = None

    def encode(self, frame, blobs):
        if type(frame) in (list, tuple) and frame and hasattr(frame[-1], "shape"):
            frame = frame[-1]  # all pictures since the last call
        if frame is None or isinstance(frame, str):
            if frame is not None:
                warnings.say("render returns text, which is not shown: a picture is needed")
            return None
        if hasattr(frame, "convert") and hasattr(frame, "getbands"):
            frame = frame.convert("RGB")  # a picture of Pillow
        if np is None:
            return self._plain(frame, blobs)
        if hasattr(frame, "detach"):
            frame = frame.detach().cpu()
        try:
            a = np.asarray(frame)
        except ValueError:
            a = np.asarray(None)
        a = self._colours(a)
        if self.bgr:
            a = a[..., ::-1]
        if not a.flags.c_contiguous:
            # turned and mirrored pictures are common: one copy, into the same memory
            if self.memory is None or self.memory.shape != a.shape:
                self.memory = np.empty(a.shape, dtype=np.uint8)
            np.copyto(self.memory, a)
            a = self.memory
        blobs.append(a.reshape(-1).data)
        return {"$array": len(blobs) - 1, "dtype": "uint8", "shape": a.shape}

    def _colours(self, a):
        if a.dtype != np.uint8:
            if a.dtype.kind == "b":
                a = a.astype(np.uint8) * 255
            elif a.dtype.kind in "iu" and a.size and a.min() >= 0 and a.max() <= 255:
                a = a.astype(np.uint8)
            else:
                self._wrong("an array of %s" % a.dtype, " (for numbers from 0 to 1: (255 * frame).astype(numpy.uint8))" if a.dtype.kind == "f" else "")
        if a.ndim == 2:
            a = np.repeat(a[:, :, None], 3, axis=2)
        if a.ndim == 3 and a.shape[2] == 1:
            a = np.repeat(a, 3, axis=2)
        if a.ndim == 3 and a.shape[2] == 4:
            a = a[:, :, :3]
        if a.ndim != 3 or a.shape[2] != 3 or not a.size:
            self._wrong("an array of shape %s" % (a.shape,))
        return a

    def _plain(self, frame, blobs):
        """A picture without numpy: a buffer of three dimensions, or nested lists."""
        try:
            if isinstance(frame, (list, tuple)):
                h, w = len(frame), len(frame[0])
                data = b"".join(bytes(p) for row in frame for p in row)
            else:
                view = memoryview(frame)
                if view.format != "B" or view.ndim != 3:
                    self._wrong("a %s of %d dimensions" % (type(frame).__name__, view.ndim))
                h, w = view.shape[:2]
                data = view.tobytes()
        except (TypeError, ValueError, IndexError):
            self._wrong("a %s" % type(frame).__name__)
        if len(data) != h * w * 3 or not data:
            self._wrong("%d bytes for %d rows of %d" % (len(data), h, w))
        if self.bgr:
            turned = bytearray(data)
            turned[0::3], turned[2::3] = data[2::3], data[0::3]
            data = bytes(turned)
        blobs.append(data)
        return {"$array": len(blobs) - 1, "dtype": "uint8", "shape": [h, w, 3]}

    def _wrong(self, what, more=""):
        raise Fault("render returned %s: %s%s" % (what, FRAME_WANTED, more), phase="render")
