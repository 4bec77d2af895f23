"""Git beside the ledger: what is approved is committed, what was merged asks for approval by itself.

The ledger alone says what is official: a commit certifies nothing, and one that fails takes no approval back. Whatever
was missed, because a process died or git was busy, is caught up by the next refresh.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from metrics_catalog.governance.clerk import Refused
from metrics_catalog.governance.office import Office, Wish
from metrics_catalog.governance.proposals import Proposal
from metrics_catalog.governance.record import Record, Version
from metrics_catalog.located import InvalidFiles
from metrics_catalog.spec.people import People

_NOBODY = ("metric-center", "metric-center@localhost")  # what the platform writes by itself
SECONDS = 60  # a hook of the repository may take its time, but not forever


class GitFailed(Exception):
    """Git refused; the message is its own."""


@dataclass(frozen=True)
class Commit:
    """The last commit of a file."""

    hash: str
    email: str
    subject: str


class Repository:
    """The work tree a project is in. Paths are relative to the project."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def around(cls, root: Path) -> Repository | None:
        """None where there is no git, or the project is not in a work tree."""
        found = cls(root)
        if shutil.which("git") is None:
            return None
        try:
            return found if found._git("rev-parse", "--is-inside-work-tree").strip() == "true" else None
        except GitFailed:
            return None

    def differing(self, paths: Iterable[str]) -> set[str]:
        """Those of ``paths`` that are not as last committed: edited, staged, deleted, or never committed."""
        paths = list(paths)
        if not paths:
            return set()
        known = self._listed("diff", "--name-only", "--relative", "-z", "HEAD", "--", *paths)
        return known | self._listed("ls-files", "--others", "-z", "--", *paths)

    def last(self, path: str) -> Commit | None:
        """The last commit of a file; None when there is none, or the file is not as committed."""
        if self.differing([path]):
            return None
        found = self._git("log", "-1", "--format=%H%x00%ae%x00%s", "--", path).strip("\n")
        return Commit(*found.split("\0", 2)) if found else None

    def origin(self, paths: Iterable[str]) -> str | None:
        """The last commit of any of some files, in words; None when there is none, or git cannot say."""
        paths = list(paths)
        try:
            if self.differing(paths):
                return "not committed"
            found = self._git("log", "-1", "--format=%H%x00%ae", "--", *paths).strip("\n") if paths else ""
        except GitFailed:
            return None
        hash_, _, email = found.partition("\0")
        return f"last committed in {hash_[:10]} by {email}" if found else None

    def commit(
        self,
        paths: Iterable[str],
        message: str,
        author: tuple[str, str] = _NOBODY,
        committer: tuple[str, str] = _NOBODY,
    ) -> None:
        """Commit these files and nothing else; names and addresses of people."""
        paths = list(paths)
        self._git("add", "--all", "--", *paths)
        who = ("-c", f"user.name={committer[0]}", "-c", f"user.email={committer[1]}")
        by = f"--author={author[0]} <{author[1]}>"
        self._git(*who, "commit", "--quiet", "--no-gpg-sign", "--file=-", by, "--only", "--", *paths, given=message)

    def _listed(self, *arguments: str) -> set[str]:
        return set(filter(None, self._git(*arguments).split("\0")))

    def _git(self, *arguments: str, given: str = "") -> str:
        command = ["git", "-C", str(self._root), "--literal-pathspecs", *arguments]
        try:
            done = subprocess.run(
                command,
                input=given,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GitFailed(str(error)) from None
        if done.returncode:
            raise GitFailed(done.stderr.strip() or f"git ended with {done.returncode}")
        return done.stdout


def commit_certified(repository: Repository, record: Record, people: People, root: Path) -> Iterator[str]:
    """Commit each file that says what was approved and is not committed yet; says what could not be."""
    approved = {version.path: version for some in record.versions.values() if (version := some[-1]).request is not None}
    try:
        for path in sorted(repository.differing(approved)):
            version = approved[path]
            if _says(root / path, version):
                by = _named(people, version.approvers[-1] if version.approvers else version.author)
                repository.commit([path], _message(version, people), _named(people, version.author), by)
    except GitFailed as failed:
        yield f"approved, but not committed: {failed}"


def commit_written(repository: Repository, record: Record, folder: str) -> Iterator[str]:
    """Commit what the platform wrote into ``folder`` because of what was approved; says when it could not."""
    if not any(version.request is not None for some in record.versions.values() for version in some):
        return
    try:
        if paths := sorted(repository.differing([folder])):
            repository.commit(paths, "Metric models of what is certified\n")
    except GitFailed as failed:
        yield f"metric models are not committed: {failed}"


def ask_merged(repository: Repository, office: Office) -> Iterator[str]:
    """Open a request for each change that was committed; says what was asked for, and what cannot be."""
    try:
        for proposal in office.proposals():
            commit = None if _asked(office.record, proposal) else repository.last(proposal.path)
            if commit is not None:
                yield _ask(office, proposal, commit)
    except GitFailed as failed:
        yield f"git cannot be asked: {failed}"


def _ask(office: Office, proposal: Proposal, commit: Commit) -> str:
    everybody = office.official.people.people
    author = next((name for name, one in everybody.items() if one.email.lower() == commit.email.lower()), None)
    if author is None:
        return f"{proposal.name}: committed by {commit.email}, who is not in people.yml; ask with `metrics propose`"
    try:
        request = office.propose(proposal.name, author, Wish(f"{commit.subject} ({commit.hash[:10]})"))
    except (Refused, InvalidFiles) as refused:
        return f"{proposal.name}: committed, and cannot be asked for: {refused}"
    return f"{proposal.name}: committed by {author}, asked for as {request.name}"


def _asked(record: Record, proposal: Proposal) -> bool:
    """Whether somebody asked for just this before; who refused it need not do so again."""
    wanted = proposal.subject, proposal.text, proposal.base
    return any((one.subject, one.text, one.base) == wanted for one in record.requests.values())


def _says(file: Path, version: Version) -> bool:
    if version.status == "retired":
        return not file.exists()
    return file.is_file() and file.read_text(encoding="utf-8-sig") == version.text


def _message(version: Version, people: People) -> str:
    name = version.subject.rpartition("/")[2]
    lines = [f"{name}: {_plain(version.reason)}", "", f"Request: CR-{version.request}", f"Certified: v{version.number}"]
    lines.append("Requested-by: {} <{}>".format(*_named(people, version.author)))
    lines += ["Approved-by: {} <{}>".format(*_named(people, one)) for one in version.approvers]
    return "\n".join(lines) + "\n"


def _named(people: People, person: str) -> tuple[str, str]:
    """Name and address for git; of somebody who left, what is known."""
    one = people.people.get(person)
    return (person, f"{person}@localhost") if one is None else (_plain(one.name), one.email)


def _plain(text: str) -> str:
    """One line, without what git reads as its own."""
    return re.sub(r"[\x00-\x1f<>]+", " ", text).strip()
