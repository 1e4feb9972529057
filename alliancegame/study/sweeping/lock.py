"""One sweep at a time may write to a store: a lock that does not outlive its holder."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any, Self

from alliancegame.errors import SweepStoreError

_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class StoreLock:
    """An advisory lock of the system on a file that also says who holds it.

    The system lets go of it when its holder ends, however it ends. What the file says is needed
    where the system's lock does not reach: on other machines, which may share the disk, and on file
    systems without locks, where the holder's process is looked for. Raises `SweepStoreError` if
    another sweep holds it.
    """

    def __init__(self, file: Path, store: Path) -> None:
        self._file, self._store = file, store
        self._descriptor = os.open(
            file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644
        )
        try:
            enforced = self._ask()
            self._check_holder(enforced)
            self._say(_myself())
        except BaseException:
            os.close(self._descriptor)
            raise

    def _ask(self) -> bool:
        """Take the system's lock; whether there is one."""
        if sys.platform == "win32":
            return False
        import fcntl

        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise self._held(self._holder()) from error
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return False
            raise
        return True

    def _holder(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self._file.read_bytes() or b"null")
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _check_holder(self, enforced: bool) -> None:
        """Refuse if the file names a holder that may still be at work."""
        holder = self._holder()
        if holder is None:
            return
        me = _myself()
        if holder.get("boot") == me["boot"]:
            if not enforced and _alive(holder):
                raise self._held(holder, f" If that process is gone, delete {self._file}.")
        elif holder.get("host") != me["host"]:
            raise self._held(
                holder,
                f" Nobody here can see whether it still runs there: if it does not, delete "
                f"{self._file} and make the call again.",
            )

    def _held(self, holder: dict[str, Any] | None, remedy: str = "") -> SweepStoreError:
        who = "another process"
        if holder is not None:
            who = f"process {holder.get('pid')} on {holder.get('host')}"
        return SweepStoreError(
            f"{self._store} is in use: {who} is sweeping into it. Wait for it to end, or give "
            f"another store.{remedy}"
        )

    def _say(self, holder: dict[str, Any] | None) -> None:
        os.ftruncate(self._descriptor, 0)
        if holder is not None:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, json.dumps(holder).encode())

    def release(self) -> None:
        """Let go. The file stays, empty: removing it would race with whoever opens it now."""
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        try:
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _myself() -> dict[str, Any]:
    return {"pid": os.getpid(), "started": _started(os.getpid()), **_machine()}


def _machine() -> dict[str, str]:
    """The machine since it was last started; another start of the same machine is another boot."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = socket.gethostname()
    return {"host": socket.gethostname(), "boot": boot}


def _started(pid: int) -> str:
    """When a process began, in the kernel's own count; empty where that cannot be known."""
    try:
        # The name, in brackets, may hold anything; the 20th field behind it is the start.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _alive(holder: dict[str, Any]) -> bool:
    """Whether the process that a lock names still runs, and is not a later one of the same number."""
    pid = holder.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return _started(pid) == holder.get("started")
