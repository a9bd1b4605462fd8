"""Which code ran: the commit of the checkout this package lies in, read from its files, or its version elsewhere."""

from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def commit(root: Path = ROOT) -> str | None:
    """The commit that is checked out; None where there is no checkout."""
    git = root / ".git"
    if git.is_file():  # a worktree tells where its own folder is
        git = (root / git.read_text().removeprefix("gitdir:").strip()).resolve()
    head = git / "HEAD"
    if not head.exists():
        return None
    told = head.read_text().strip()
    if not told.startswith("ref: "):
        return told
    name = told.removeprefix("ref: ")
    shared = git / "commondir"
    for folder in (git, (git / shared.read_text().strip()).resolve() if shared.exists() else git):
        if (folder / name).exists():
            return (folder / name).read_text().strip()
        packed = folder / "packed-refs"
        for line in packed.read_text().splitlines() if packed.exists() else ():
            if line.endswith(f" {name}"):
                return line.split()[0]
    return None


def tags() -> dict[str, str]:
    """As MLflow's pages look for them."""
    found = commit()
    told = {"nightdesk.version": metadata.version("nightdesk")}
    return {**told, "mlflow.source.git.commit": found} if found else told
