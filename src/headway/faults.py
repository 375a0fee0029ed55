"""Faults of the machine and not of the code, each in one line: what happened and what to do."""

from __future__ import annotations

import errno
import re
import sys

ADVICE = {
    errno.ENOSPC: "make room, or name another folder",
    errno.EDQUOT: "make room, or name another folder",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), or name another folder",
    errno.EROFS: "name a folder that can be written",
    errno.EACCES: "change who may read and write it, or name another",
    errno.EPERM: "change who may read and write it, or name another",
    errno.ENOENT: "leave folders in use in place; start again with another",
    errno.ENOTDIR: "name a folder",
    errno.EMFILE: "raise the limit on open files (ulimit -n), or lower data.num_workers",
    errno.ENFILE: "close other programs, or lower data.num_workers",
    errno.EAGAIN: "raise the limit on processes (ulimit -u), or lower data.num_workers",
    errno.ENOMEM: "free memory, or lower data.num_workers",
    errno.ENAMETOOLONG: "shorten the name",
    errno.EIO: "look after the disk, or name another",
    errno.ESTALE: "mount the network folder again, or name another",
}
"""What a system call may fail with while the code is right -> what the user can do."""
WORKER = re.compile(r"DataLoader worker \(pid(?:\(s\))? [\d, ]+\)")
OUT_OF_MEMORY = "memory is used up: {}; lower batching.batch_size, data.eval_batch_size or data.num_workers"
GOES_ON = "; headway train --resume RUN goes on from the last checkpoint"


def fault_message(error: BaseException) -> str | None:
    """Return what to say of a fault of the machine; None where an error is something else, such as a bug.

    Args:
        error: What ended a command.
    """
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY.format(str(error) or "Python has no more")
    if not isinstance(error, RuntimeError):
        return None
    text = " ".join(str(error).split())
    if WORKER.search(text):
        return (
            f"a loader worker ended: {text}; lower data.num_workers (0 for none) where memory ran out, or "
            "look for what killed it"
        )
    if "can't allocate memory" in text:
        return OUT_OF_MEMORY.format(text)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return OUT_OF_MEMORY.format(text.split(". ")[0])
    return None


def _of_system(error: OSError) -> str | None:
    if error.errno not in ADVICE:
        return None
    where = f"{error.filename} can't be used" if error.filename else "the system refused"
    return f"{where}: {error.strerror}; {ADVICE[error.errno]}"
