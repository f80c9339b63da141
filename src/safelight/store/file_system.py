"""Which file system a file is on: over a network SQLite's locks and its shared memory do not work, and files break."""

from __future__ import annotations

import re
from pathlib import Path

from safelight.domain.errors import BadSettings, Remedy

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    """
    9p acfs afs beegfs ceph cifs coda fuse.ceph fuse.ceph-fuse fuse.gcsfuse fuse.glusterfs fuse.goofys fuse.lizardfs
    fuse.moosefs fuse.mount-s3 fuse.nfs fuse.rclone fuse.s3fs fuse.sshfs glusterfs gpfs lustre mfs ncpfs nfs nfs3 nfs4
    orangefs pvfs2 smb2 smb3 smbfs
    """.split()  # noqa: SIM905
)
"""Types as the kernel names them. One that is not listed is taken to be local."""
_MOUNT_POINT, _TYPE_AFTER = 4, "-"
"""Where mountinfo's fields stand (proc_pid_mountinfo(5)): optional ones come before the dash."""


def refuse_network(path: Path) -> None:
    """Raise `BadSettings` if the file is, or would be made, on a file system that is known to be a network's."""
    kind = kind_at(path, _mounts())
    if kind in NETWORK:
        raise BadSettings(
            f"The database {path} would be on a network file system ({kind}), where SQLite loses data.",
            remedy=Remedy(
                "Put it on a disk of this machine, or use PostgreSQL.",
                "SAFELIGHT_DATABASE_URL=postgresql://user@host/name",
            ),
            evidence={"path": str(path), "file_system": kind},
        )


def kind_at(path: Path, mounts: str) -> str | None:
    """The type of the deepest mount above a path, by the text of a mountinfo; None if that says nothing about it."""
    found: tuple[int, str] | None = None
    where = path.resolve()
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) <= _MOUNT_POINT or _TYPE_AFTER not in fields[:-1]:
            continue
        point = Path(_unescaped(fields[_MOUNT_POINT]))
        depth = len(point.parts)
        if where.is_relative_to(point) and (found is None or depth >= found[0]):  # the later lies over the earlier
            found = (depth, fields[fields.index(_TYPE_AFTER) + 1])
    return found[1] if found else None


def _mounts() -> str:
    """Nothing where the system does not say."""
    try:
        return MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return ""


def _unescaped(text: str) -> str:
    """Spaces and the like stand as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
