"""What the mirror shows of a milestone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from milestone.domain.milestones import document
from milestone.operations.reporting import progress
from milestone.store.store import Store
from milestone.workspace.mirror import Snapshot

PAGE = 1_000
REPORT = "final-report"
_SESSION = ("session_id", "milestone_id", "mode", "status", "started_at", "ended_at")


def snapshot(store: Store, milestone_id: str) -> Snapshot | None:
    """Return a milestone as it stands, or nothing where there is none."""
    row = store.milestones.get(milestone_id)
    if row is None:
        return None
    files = documents(store, milestone_id)
    decisions = [_decision(one) for one in store.evidence.decisions(milestone_id)]
    executing = store.tasks.exist(milestone_id, "execution")
    sections: dict[str, Any] = {
        **row["sections"],
        "deliverables": [f"deliverables/{milestone_id}/{name}" for name in files],
        "decisions": decisions or row["sections"]["decisions"],
    }
    return Snapshot(
        milestone_id=milestone_id,
        position=row["position"],
        document=document(
            row,
            sections,
            store.milestones.phases(milestone_id),
            store.tasks.all(milestone_id, "planning"),
            progress=progress(store, milestone_id) if executing else None,
            git=_git(store, milestone_id),
            products=_products(store, milestone_id),
        ),
        sessions=_sessions(store, milestone_id),
        files=files,
        tasks=_tasks(store, milestone_id) if executing else None,
    )


def documents(store: Store, milestone_id: str) -> dict[str, str]:
    """Return the files for people, by name; only accepted work is written."""
    files: dict[str, str] = {}
    for one in store.evidence.of_kind(milestone_id, "files"):
        files |= _files(store, one["agent_id"], one["detail"]["key"])
    session = store.milestones.latest_session(milestone_id, "execution")
    report = store.state.newest(f"coordinator-{session['session_id']}", REPORT) if session else None
    return files | ({"final_report.md": json.loads(report["value"])} if report else {})


def _files(store: Store, agent_id: str, key: str) -> dict[str, str]:
    saved = store.state.newest(agent_id, key)
    if saved is None or not saved["present"]:
        return {}
    value: dict[str, Any] = json.loads(saved["value"])
    return {file["name"]: file["content"] for file in value.get("files", [])}


def _sessions(store: Store, milestone_id: str) -> list[dict[str, Any]]:
    return [
        {
            **{name: session[name] for name in _SESSION},
            "agents": store.agents.counts(session["session_id"]),
        }
        for session in store.milestones.sessions(milestone_id)
    ]


def _decision(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": row["decision_id"], **{name: row[name] for name in ("kind", "what", "reason", "source", "places")}}


def _git(store: Store, milestone_id: str) -> dict[str, Any] | None:
    repositories = store.evidence.repositories(milestone_id)
    if not repositories:
        return None
    commits = [
        {"commit": one["detail"]["commit"], "task": one["task_id"], "branch": one["detail"]["branch"]}
        for one in store.evidence.of_kind(milestone_id, "commit")
    ]
    named = [one for one in repositories if one["name"]]
    return {
        "branch": repositories[0]["branch"],
        "base_commit": repositories[0]["base_commit"],
        "commits": commits,
        "pr_url": repositories[0]["pr_url"],
        "repositories": [{field: one[field] for field in _REPOSITORY} for one in named],
    }


_REPOSITORY = ("name", "path", "branch", "base_commit", "pr_url")


def _products(store: Store, milestone_id: str) -> dict[str, list[str]]:
    """Return which files each phase has produced."""
    found: dict[str, list[str]] = {}
    for one in store.evidence.of_kind(milestone_id, "files"):
        phase, _, rest = str(one["detail"]["key"]).partition("-phase-results")
        if not rest:
            found.setdefault(phase, []).extend(one["detail"]["names"])
    return found


def _tasks(store: Store, milestone_id: str) -> list[dict[str, Any]]:
    """Return the tasks of an execution."""
    proof: dict[str, list[str]] = {}
    for one in store.evidence.all(milestone_id):
        proof.setdefault(one["task_id"], []).append(one["kind"])
    tasks: list[dict[str, Any]] = []
    after = -1
    while rows := store.tasks.page(milestone_id, "execution", after, PAGE):
        tasks += [_task(row, proof.get(row["task_id"], [])) for row in rows]
        after = rows[-1]["ordinal"]
    return tasks


def _task(row: Mapping[str, Any], proof: list[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": row["task_id"],
        "title": row["title"],
        "phase": row["phase"] or "standing",
        "weight": row["weight"],
        "status": row["status"],
        "agent_type": row["agent_type"],
        "paths": list(row["paths"]),
        "acceptance": list(row["acceptance"]),
        "evidence": proof,
    }
    more = {"agent": row["held_by"], "detail": row["detail"]}
    return shown | {name: value for name, value in more.items() if value}
