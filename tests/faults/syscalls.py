"""What a piece of work asks of the disk, call by call: a fork of this process under ptrace (Linux on x86-64).

Each write, sync and truncation of a file in one folder is told in order, and may be made to fail with an errno."""

import ctypes
import os
import platform
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = sys.platform == "linux" and platform.machine() == "x86_64"
_TRACEME, _SYSCALL, _GETREGS, _SETREGS, _SETOPTIONS = 0, 24, 12, 13, 0x4200
_SYSGOOD, _EXITKILL = 1, 1 << 20
_CALLS = {1: "write", 18: "write", 74: "sync", 75: "sync", 77: "truncate", 87: "unlink"}
# user_regs_struct is 27 words: these are the places of what a call was, was given, and gave back.
_RAX, _RDX, _RSI, _RDI, _ORIG_RAX, _R10, _WORDS = 10, 12, 13, 14, 15, 7, 27


@dataclass(frozen=True)
class Call:
    """`ack` is the work's own word that something is done, by `told`."""

    kind: str
    file: str
    offset: int = 0
    data: bytes = b""


def told(number: int) -> None:
    """Said by the work: whatever was to be durable by now has this number."""
    os.write(_ACKS, f"{number}\n".encode())


_ACKS = os.open(os.devnull, os.O_WRONLY)


def traced(work: Callable[[], None], folder: Path, fail_nth: int = 0, errno: int = 0) -> tuple[list[Call], int]:
    """The calls that `work` makes in a fork, and how it ends. The nth of them fails with `errno`, if one is given."""
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    child = os.fork()
    if child == 0:
        code = 70
        try:
            ptrace(_TRACEME, 0, None, None)
            os.kill(os.getpid(), signal.SIGSTOP)
            work()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException as problem:
            print(repr(problem), file=sys.stderr)
        finally:
            os._exit(code)
    os.waitpid(child, 0)
    ptrace(_SETOPTIONS, child, None, _SYSGOOD | _EXITKILL)
    calls: list[Call] = []
    memory = os.open(f"/proc/{child}/mem", os.O_RDONLY)
    words = (ctypes.c_ulong * _WORDS)()
    entered: Call | None = None
    failing, passing = False, 0
    try:
        inside = False
        while True:
            ptrace(_SYSCALL, child, None, passing or None)
            _, status = os.waitpid(child, 0)
            passing = 0
            if not os.WIFSTOPPED(status):
                return calls, os.waitstatus_to_exitcode(status)
            if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
                passing = os.WSTOPSIG(status)  # a signal of its own
                continue
            inside = not inside
            if inside:
                ptrace(_GETREGS, child, None, ctypes.addressof(words))
                kind = _CALLS.get(words[_ORIG_RAX])
                entered = _call(kind, child, memory, words, folder) if kind else None
                count = sum(call.kind != "ack" for call in calls) + 1
                failing = entered is not None and entered.kind != "ack" and count == fail_nth
                if failing:
                    words[_ORIG_RAX] = ctypes.c_ulong(-1).value  # no such call
                    ptrace(_SETREGS, child, None, ctypes.addressof(words))
            elif entered is not None:
                if failing:
                    ptrace(_GETREGS, child, None, ctypes.addressof(words))
                    words[_RAX] = ctypes.c_ulong(-errno).value
                    ptrace(_SETREGS, child, None, ctypes.addressof(words))
                    calls.append(Call("failed", entered.file))
                else:
                    calls.append(entered)
                entered = None
    finally:
        os.close(memory)


def _call(kind: str, child: int, memory: int, words: "ctypes.Array[ctypes.c_ulong]", folder: Path) -> Call | None:
    """A call on a file of the folder; None for any other."""
    if kind == "unlink":
        name = os.pread(memory, 4096, words[_RDI]).partition(b"\0")[0].decode()
        return Call("unlink", Path(name).name) if Path(name).parent == folder else None
    where = Path(os.readlink(f"/proc/{child}/fd/{words[_RDI]}"))
    if where == Path(os.devnull) and kind == "write" and words[_RDI] == _ACKS:
        return Call("ack", os.pread(memory, words[_RDX], words[_RSI]).decode().strip())
    if kind == "sync" and where == folder:
        return Call("sync", "")
    if where.parent != folder:
        return None
    if kind == "write":
        return Call("write", where.name, words[_R10] if words[_ORIG_RAX] == 18 else -1,
                    os.pread(memory, words[_RDX], words[_RSI]))
    return Call(kind, where.name, words[_RSI] if kind == "truncate" else 0)
