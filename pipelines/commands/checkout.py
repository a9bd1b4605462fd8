"""The night reads dbt/ and feature_repo/, which lie beside its code in a checkout and in no installed package."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def needed() -> None:
    """Refuse before anything is written."""
    if not (ROOT / "dbt" / "dbt_project.yml").exists():
        raise ValueError(
            "the night needs the libraries of nightdesk[night] and the folders dbt/ and feature_repo/, and "
            f"{ROOT} is no checkout: run it in one, after `make install` or `pip install -e '.[night]'` there; "
            "what is installed here is enough for `nightdesk live` and `nightdesk passport`")
