"""What a person can mend, in one sentence that says what to do. What is ours to mend keeps its traceback."""

import errno
import sqlite3

from pipelines.home import HomeBusy, HomeLayout

OURS = ("pipelines", "models", "live")  # what these packages refuse, they refuse in words
FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
NO_FOLDER = (errno.ENOTDIR, errno.EEXIST)


def sentence(problem: Exception) -> str | None:
    """None where only the traceback helps."""
    if isinstance(problem, ModuleNotFoundError):
        return f"{problem.name} is not installed; this command needs the night's libraries: pip install " \
               "'nightdesk[night]'"
    if isinstance(problem, OSError):
        return _of_system(problem)
    if isinstance(problem, sqlite3.OperationalError):
        return f"a database of the home cannot be used ({problem}): the disk may be full, or the folder not yours to " \
               "write; `nightdesk doctor` says which"
    if isinstance(problem, (HomeBusy, HomeLayout, ValueError)):
        return str(problem)
    told = isinstance(problem, (RuntimeError, LookupError)) and type(problem).__module__.partition(".")[0] in OURS
    return str(problem) if told else None


def _of_system(problem: OSError) -> str:
    """The kernel's word, with the path and the way out; our own sentences carry no number."""
    where = problem.filename or "a file of the home"
    if problem.errno is None or (problem.errno == errno.ENOENT and problem.filename is None):
        return str(problem)
    if problem.errno in FULL:
        full = f"the disk is full at {where}" if problem.filename else "the disk is full"
        return f"{full}: make room (`nightdesk prune` shows what may go) and run the same command again"
    if problem.errno in CLOSED:
        return f"{where} cannot be used ({(problem.strerror or '').lower()}): give this user the folder, or name " \
               "another one"
    if problem.errno in NO_FOLDER:
        return f"{where} is not a folder, or stands in the place of one: name another path"
    return f"{where}: {(problem.strerror or str(problem)).lower()}"
