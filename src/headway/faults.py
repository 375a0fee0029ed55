"""Faults of the machine and not of the code, each in one line: what happened and what to do."""

from __future__ import annotations

import errno
import re

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
OUT_OF_MEMORY = ("can't allocate memory", "out of memory")
"""What torch says where a device, or the machine, has no more."""
USED_UP = "memory is used up: {}; lower batching.batch_size, data.eval_batch_size or data.num_workers"
GOES_ON = "; headway train --resume RUN goes on from the last checkpoint"


def fault_message(error: BaseException) -> str | None:
    """Return what to say of a fault of the machine; None where an error is something else, such as a bug.

    Args:
        error: What ended a command.
    """
    if isinstance(error, OSError):
        return _of_system(error)
    text = " ".join(str(error).split())
    if is_out_of_memory(error):
        return USED_UP.format(text.split(". ")[0] or "Python has no more")
    if isinstance(error, RuntimeError) and WORKER.search(text):
        return (
            f"a loader worker ended: {text}; lower data.num_workers (0 for none) where memory ran out, or "
            "look for what killed it"
        )
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory is used up, on a device or on the machine.

    Args:
        error: Any; torch's own are RuntimeErrors, also that of a GPU.
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


def _of_system(error: OSError) -> str | None:
    if error.errno not in ADVICE:
        return None
    where = f"{error.filename} can't be used" if error.filename else "the system refused"
    return f"{where}: {error.strerror}; {ADVICE[error.errno]}"
