"""States of policies that are kept as files: a folder as tar, and back."""

import io
import os
import shutil
import stat
import tarfile
import tempfile

from .bounds import MAX_STATE, MAX_STATE_FILES
from .errors import Fault
from .notices import warnings


def pack_folder(folder):
    """A folder as tar, the same bytes for the same files; None where there are none."""
    paths, total = [], 0
    for base, folders, files in os.walk(folder):
        folders.sort()
        for name in files:
            path = os.path.join(base, name)
            info = os.lstat(path)
            if not stat.S_ISREG(info.st_mode):
                warnings.say("saved_models: %s is no file and is not kept" % name)
                continue
            total += info.st_size
            paths.append((os.path.relpath(path, folder), path))
    if total > MAX_STATE or len(paths) > MAX_STATE_FILES:
        raise Fault(
            "saved_models has %d MiB in %d files: at most %d MiB in %d files can be kept"
            % (total >> 20, len(paths), MAX_STATE >> 20, MAX_STATE_FILES)
        )
    if not paths:
        return None
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in sorted(paths):
            with open(path, "rb") as f:
                data = f.read()
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), 0o644, 0
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def unpack_folder(data, folder):
    """Replaces a folder's files by those of a tar, which is not trusted.

    The files are unpacked beside it first: of a tar that is damaged nothing is taken,
    and the folder keeps what it has.
    """
    beside = tempfile.mkdtemp(prefix="state-")
    try:
        _unpack(data, beside)
        clear_folder(folder)
        for name in os.listdir(beside):
            shutil.move(os.path.join(beside, name), os.path.join(folder, name))
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _unpack(data, folder):
    total = count = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for member in tar:
                parts = member.name.split("/")
                if member.name.startswith("/") or ".." in parts or "\0" in member.name or "\\" in member.name:
                    raise Fault("the state names the path %r: it must stay within its folder" % member.name[:200])
                if not (member.isreg() or member.isdir()):
                    raise Fault("the state holds %r, which is neither file nor folder" % member.name[:200])
                total += member.size
                count += 1
                if total > MAX_STATE or count > MAX_STATE_FILES:
                    raise Fault("the state has more than %d MiB or %d files" % (MAX_STATE >> 20, MAX_STATE_FILES))
                path = os.path.join(folder, *parts)
                if member.isdir():
                    os.makedirs(path, exist_ok=True)
                    continue
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    shutil.copyfileobj(tar.extractfile(member), f)
            if data[tar.offset :].strip(b"\0"):
                raise tarfile.ReadError("file %d has no proper header" % (count + 1))
    except (tarfile.TarError, EOFError, OSError, ValueError) as e:
        # a file where a folder is meant, a name that no file can have
        raise Fault("the state is damaged or cannot be unpacked: %s" % e) from None


def clear_folder(folder):
    os.makedirs(folder, exist_ok=True)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
