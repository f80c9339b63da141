"""SQLite on a network file system is refused, wherever the deepest mount is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from safelight.domain.errors import BadSettings
from safelight.store import file_system, migrate
from safelight.store.connect import open_database
from safelight.store.file_system import NETWORK, kind_at

ROOT_LINE = "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"


def mounted(point: Path | str, kind: str) -> str:
    escaped = str(point).replace(" ", "\\040")
    return f"36 21 0:41 /export {escaped} rw,noatime shared:7 master:2 - {kind} server:/export rw,vers=4.2"


def test_the_deepest_mount_decides() -> None:
    mounts = "\n".join(
        [ROOT_LINE, mounted("/srv", "nfs4"), mounted("/srv/local", "xfs"), mounted("/srv/local", "cifs")]
    )
    assert kind_at(Path("/srv/a.db"), mounts) == "nfs4"
    assert kind_at(Path("/srv/local/new/a.db"), mounts) == "cifs", "the later mount lies over the earlier"
    assert kind_at(Path("/srv-2/a.db"), mounts) == "ext4"
    assert kind_at(Path("/srv/../home/a.db"), mounts) == "ext4"


def test_mount_points_with_spaces_and_lines_of_another_form_are_read() -> None:
    mounts = "\n".join(["nonsense", "", ROOT_LINE.removesuffix(" - ext4 /dev/sda1 rw"), mounted("/my disk", "smb3")])
    assert kind_at(Path("/my disk/a.db"), mounts) == "smb3"
    assert kind_at(Path("/elsewhere"), mounts) is None


def test_a_link_is_followed_to_where_the_file_is(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    mounts = "\n".join([ROOT_LINE, mounted(tmp_path / "far", "nfs")])
    assert kind_at(tmp_path / "near" / "a.db", mounts) == "nfs"


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph", "fuse.glusterfs", "lustre"]
)
def test_a_database_on_a_network_is_refused_before_a_file_is_made(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kind in NETWORK
    pretend(tmp_path, monkeypatch, kind)
    url = f"sqlite:///{tmp_path}/data/safelight.db"
    for refused_by in (lambda: open_database(url), lambda: migrate.ensure(url, upgrade=True)):
        with pytest.raises(BadSettings, match=kind) as refused:
            refused_by()
        assert "postgresql://" in str(refused.value.remedy)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("kind", ["ext4", "xfs", "tmpfs", "overlay", "zfs", "never heard of"])
def test_any_other_file_system_will_do(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, kind)
    migrate.ensure(f"sqlite:///{tmp_path}/safelight.db", upgrade=True)
    assert (tmp_path / "safelight.db").exists()


def test_a_system_that_does_not_say_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_system, "MOUNTS", tmp_path / "missing")
    open_database(f"sqlite:///{tmp_path}/safelight.db").close()


def pretend(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """As if the folder were a mount of that kind."""
    mounts = folder / "mountinfo"
    mounts.write_text("\n".join([ROOT_LINE, mounted(folder.resolve(), kind)]))
    monkeypatch.setattr(file_system, "MOUNTS", mounts)
