"""The bounds of what is sent, kept and said. Sizes are in bytes."""

PROTOCOL = 1

# The bounds of a frame of the channel, as on the other side.
MAX_FRAME = 256 << 20
MAX_HEADER = 64 << 20
MAX_BLOBS = 1 << 16
# The other side reads 64 levels of JSON; a dict takes three of them.
MAX_DEPTH = 18
MAX_ITEMS = 1 << 20
# A larger pickle of an opaque object is not hashed: it would cost more than it tells.
MAX_HASHED = 64 << 20
# A state travels in one frame.
MAX_STATE = 200 << 20
MAX_STATE_FILES = 10000
# Up to this size a state is digested after each update.
SMALL_STATE = 64 << 10
MAX_TRACEBACK = 16 << 10
MAX_MESSAGE = 4 << 10
MAX_WARNINGS = 50
