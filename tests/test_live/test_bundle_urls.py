"""Bundles fetched from an address: whole, in their caps, never under a name that is not a bundle's."""

import datetime as dt
import uuid
from pathlib import Path

import fsspec
import pytest

from live.adapters.bundles import FETCHED, FolderBundles, address_of, source_of
from live.replay import replay
from models import bundle
from models.bundle import BundleRefused
from pipelines.evidence import mirror, publish
from pipelines.evidence.keys import open_or_create
from pipelines.evidence.records import Records
from pipelines.evidence.standing import standing
from tests.test_live import world
from tests.test_pipelines.test_evidence_acts import acting, two_champions
from tests.test_pipelines.test_evidence_records import packed  # noqa: F401  (a fixture)

NOW = dt.datetime(2025, 7, 1, 6, tzinfo=dt.UTC)


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    return f"memory://{uuid.uuid4()}/bundles" if request.param == "memory" else (tmp_path / "far away").as_uri()


@pytest.fixture
def home(tmp_path, packed):  # noqa: F811
    return two_champions(tmp_path / "home", packed)


def test_what_is_mirrored_is_what_live_verifies(home, url, tmp_path):
    source = source_of(url, tmp_path / "journal.sqlite")
    assert source.newest() is None
    name = mirror.mirror(home, url)
    folder = source.newest()
    assert folder.name == name == bundle.current(home.bundles).name
    loaded = bundle.load(folder, open_or_create(home.keys).trusted, 0, NOW)
    assert loaded.digest == publish.manifest_of(bundle.current(home.bundles)).digest
    assert source.newest() == folder and mirror.mirror(home, url) == name


def test_a_rollback_and_a_kill_reach_the_other_place(home, url, tmp_path):
    source = source_of(url, tmp_path / "journal.sqlite")
    mirror.mirror(home, url)
    acting(home, "worse").rollback()
    mirror.mirror(home, url)
    assert source.newest().name.startswith("000003-")
    acting(home, "stop").kill()
    assert mirror.mirror(home, url) is None and source.newest() is None
    assert standing(Records(home).all(), "daily-equity").killed


@pytest.mark.parametrize("evil", ["../../keys", "/etc", "000001-zzzzzzzzzzzz", "", "000001-aaaaaaaaaaaa/.."])
def test_a_pointer_never_becomes_another_path(url, tmp_path, evil):
    files, root = fsspec.core.url_to_fs(url)
    files.makedirs(root, exist_ok=True)
    files.pipe_file(f"{root}/current", evil.encode())
    with pytest.raises(BundleRefused, match="does not name a bundle"):
        source_of(url, tmp_path / "journal.sqlite").newest()
    assert not (tmp_path / FETCHED).exists()


def test_a_file_too_many_bytes_long_or_missing_leaves_nothing_behind(home, url, tmp_path):
    name = mirror.mirror(home, url)
    files, root = fsspec.core.url_to_fs(url)
    files.pipe_file(f"{root}/{name}/hmm.json", b"x" * (bundle.MOST_BYTES["hmm.json"] + 1))
    source = source_of(url, tmp_path / "journal.sqlite")
    with pytest.raises(BundleRefused, match=r"hmm\.json is larger"):
        source.newest()
    files.rm_file(f"{root}/{name}/hmm.json")
    with pytest.raises(BundleRefused, match="lacks a file"):
        source.newest()
    assert list((tmp_path / FETCHED).iterdir()) == []
    mirror.mirror(home, url)  # what was changed over there is made good
    assert source.newest().name == name


def test_a_folder_stays_a_folder(tmp_path):
    assert isinstance(source_of(tmp_path, tmp_path / "journal.sqlite"), FolderBundles)
    assert address_of(Path("s3://desk/bundles")) == address_of("s3://desk/bundles") == "s3://desk/bundles"
    assert address_of(Path("file:///srv/bundles")) == "file:///srv/bundles"
    assert address_of(Path("C:/bundles")) is None and address_of("a/b:c") is None


def test_a_day_is_replayed_from_an_address(tmp_path):
    far = world.publish(tmp_path / "far")
    tape = world.tape(tmp_path / "tape.parquet")
    told = [replay(Path(where), tape, tmp_path / name / "journal.sqlite", verify_keys=[world.PUBLIC])
            for name, where in (("here", str(far)), ("there", far.as_uri()))]
    assert told[0].sessions == told[1].sessions and told[0].journal_head == told[1].journal_head
    assert [path.name for path in (tmp_path / "there" / FETCHED).iterdir()] == [(far / "current").read_text().strip()]
