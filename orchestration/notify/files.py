"""Files that go with a message: read from the project's state folder and from nowhere else."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path


def content(state: Path, name: str) -> bytes | None:
    """A file of the state folder; None when it is gone. Raises `ValueError` for one outside."""
    root = state.resolve()
    file = (root / name).resolve()
    if not file.is_relative_to(root):
        raise ValueError(f"{name} is not in the state folder")
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def fingerprint(data: bytes) -> str:
    """By which a file is known again."""
    return sha256(data).hexdigest()[:32]
