"""What the mirror shows of a milestone."""

from __future__ import annotations

import json
from typing import Any

from milestone.domain.milestones import document
from milestone.store.store import Store
from milestone.workspace.mirror import Snapshot

DOCUMENTS = "planning-documentation"


def snapshot(store: Store, milestone_id: str) -> Snapshot | None:
    """Return a milestone as it stands, or nothing where there is none."""
    row = store.milestones.get(milestone_id)
    if row is None:
        return None
    work = store.tasks.all(milestone_id)
    files = _files(store, milestone_id)
    sections: dict[str, Any] = {
        **row["sections"],
        "deliverables": [f"deliverables/{milestone_id}/{name}" for name in files],
    }
    sessions = [
        {**session, "agents": store.agents.counts(session["session_id"])}
        for session in store.milestones.sessions(milestone_id)
    ]
    return Snapshot(
        milestone_id=milestone_id,
        position=row["position"],
        document=document(row, sections, store.milestones.phases(milestone_id), work),
        sessions=[{name: value for name, value in session.items() if name != "project_id"} for session in sessions],
        files=files,
    )


def _files(store: Store, milestone_id: str) -> dict[str, str]:
    """Return the files that the documenter delivered, by name; only accepted work is written."""
    accepted = [one for one in store.tasks.evidence(milestone_id) if DOCUMENTS in one["detail"]]
    if not accepted:
        return {}
    saved = store.state.newest(accepted[0]["agent_id"], DOCUMENTS)
    if saved is None or not saved["present"]:
        return {}
    return {file["name"]: file["content"] for file in json.loads(saved["value"])["files"]}
