"""What the entries of a log must say together: each access has a live grant, its approvals and its notice.

One rule a kind and version, in the order of the log. Specified in vault/FORMAT.md, Ledger, Meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mandant.vault.ledger.canonical import Json

__all__ = ["LONGEST_GRANT", "RULES", "Story"]

LONGEST_GRANT = timedelta(hours=8)
RESULT_WITHIN = timedelta(hours=24)
SILENCE = timedelta(hours=49)

Rule = Callable[["Story", int, dict[str, Any]], None]


@dataclass(slots=True)
class _Request:
    index: int
    agent: str
    mode: str
    access: str
    modules: list[str]
    seconds: int
    approvals: set[str] = field(default_factory=set)
    granted: bool = False


@dataclass(slots=True)
class _Grant:
    index: int
    request: _Request
    start: str
    until: str
    over: bool = False


@dataclass(slots=True)
class _Access:
    index: int
    at: str
    result: bool = False


@dataclass(slots=True)
class Story:
    """What has been told so far. `found`: (number of the entry, what is wrong). `remarks`: no faults."""

    found: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    requests: dict[str, _Request] = field(default_factory=dict)
    grants: dict[str, _Grant] = field(default_factory=dict)
    accesses: dict[str, _Access] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)
    unknown: dict[str, int] = field(default_factory=dict)
    last: str = ""

    def tell(self, index: int, entry: dict[str, Json]) -> None:
        """The next entry, whose form has been checked."""
        kind, at = f"{entry['kind']} {entry['v']}", str(entry["at"])
        if self.last and _time(at) - _time(self.last) > SILENCE:
            self.remarks.append(f"no entry for more than two days before entry {index}")
        rule = RULES.get((str(entry["kind"]), int(str(entry["v"]))))
        if rule is None:
            self.unknown[kind] = self.unknown.get(kind, 0) + 1
        else:
            rule(self, index, entry)
        self.last = at

    def close(self) -> None:
        """After the last entry: what should have followed and has not."""
        for kind, many in self.unknown.items():
            self.remarks.append(f"{many} entries of kind {kind}, which this verifier does not know")
        for name, request in self.requests.items():
            self._must_be_told(request.index, name, "request")
        for name, index in self.ends.items():
            self._must_be_told(index, name, "end")
        for name, access in self.accesses.items():
            self._must_be_told(access.index, name, "access")
            if access.result:
                continue
            if _time(self.last) - _time(access.at) > RESULT_WITHIN:
                self.wrong(access.index, "an access without a result for more than a day")
            else:
                self.remarks.append(f"the access of entry {access.index} has no result yet")

    def wrong(self, index: int, said: str) -> None:
        self.found.append((index, said))

    def _must_be_told(self, index: int, name: str, about: str) -> None:
        if (about, name) not in self.told:
            self.wrong(index, f"{_A[about]} {about} without a notice")


_A = {"request": "a", "end": "an", "access": "an"}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _start(story: Story, index: int, _entry: dict[str, Any]) -> None:
    if index:
        story.wrong(index, "a log starts once")


def _nothing(_story: Story, _index: int, _entry: dict[str, Any]) -> None:
    """Says nothing that another entry has to fit."""


def _request(story: Story, index: int, entry: dict[str, Any]) -> None:
    if entry["request"] in story.requests:
        story.wrong(index, "a request that was made before")
    story.requests[entry["request"]] = _Request(
        index, entry["agent"], entry["mode"], entry["access"], entry["modules"], entry["seconds"]
    )


def _approve(story: Story, index: int, entry: dict[str, Any]) -> None:
    request = story.requests.get(entry["request"])
    if request is None:
        story.wrong(index, "an approval of no request")
    elif request.granted:
        story.wrong(index, "an approval after the grant")
    elif entry["by"] == request.agent:
        story.wrong(index, "the agent who asks approves")
    else:
        request.approvals.add(entry["as"])


def _grant(story: Story, index: int, entry: dict[str, Any]) -> None:
    request = story.requests.get(entry["request"])
    if request is None:
        story.wrong(index, "a grant without a request")
        return
    if entry["grant"] in story.grants or request.granted:
        story.wrong(index, "a grant that was given before")
    if not request.approvals & {"staff", "tenant_for_staff"}:
        story.wrong(index, "a grant without a second member of staff")
    if request.mode == "ordinary" and not request.approvals & {"tenant", "policy", "tenant_for_staff"}:
        story.wrong(index, "a grant without the tenant's approval or policy")
    length = _time(entry["until"]) - _time(entry["from"])
    if not timedelta(0) < length <= min(LONGEST_GRANT, timedelta(seconds=request.seconds)):
        story.wrong(index, "a grant for longer than was asked for, or than eight hours")
    request.granted = True
    story.grants[entry["grant"]] = _Grant(index, request, entry["from"], entry["until"])


def _access(story: Story, index: int, entry: dict[str, Any]) -> None:
    if entry["access"] in story.accesses:
        story.wrong(index, "an access that was recorded before")
    story.accesses[entry["access"]] = _Access(index, entry["at"])
    grant = story.grants.get(entry["grant"])
    if grant is None:
        story.wrong(index, "an access without a grant")
        return
    if grant.over or not grant.start <= entry["at"] < grant.until:
        story.wrong(index, "an access outside its grant's time")
    if entry["agent"] != grant.request.agent:
        story.wrong(index, "an access by somebody else than who was granted it")
    if entry["module"] not in grant.request.modules:
        story.wrong(index, "an access to a module that was not granted")
    if entry["action"] == "write" and grant.request.access != "write":
        story.wrong(index, "a write under a grant to read")


def _result(story: Story, index: int, entry: dict[str, Any]) -> None:
    access = story.accesses.get(entry["access"])
    if access is None:
        story.wrong(index, "a result of no access")
    elif access.result:
        story.wrong(index, "a second result of one access")
    else:
        access.result = True


def _notice(story: Story, _index: int, entry: dict[str, Any]) -> None:
    story.told.add((entry["about"], entry["of"]))


def _over(story: Story, index: int, entry: dict[str, Any]) -> None:
    grant = story.grants.get(entry["grant"])
    if grant is None:
        story.wrong(index, "the end of no grant")
        return
    grant.over = True
    story.ends.setdefault(entry["grant"], index)


RULES: dict[tuple[str, int], Rule] = {
    ("start", 1): _start,
    ("key", 1): _nothing,
    ("day", 1): _nothing,
    ("request", 1): _request,
    ("approve", 1): _approve,
    ("grant", 1): _grant,
    ("access", 1): _access,
    ("result", 1): _result,
    ("notice", 1): _notice,
    ("revoke", 1): _over,
    ("end", 1): _over,
}
