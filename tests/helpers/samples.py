"""One good value for each key that has a shape."""

from __future__ import annotations

from typing import Any

_PLACE = {"file": "app/login.py", "line": 1}
_CANDIDATE = {"kind": "keep", "what": "the login function", "reason": "it is small and tested", "places": [_PLACE]}
_RISK = {
    "risk": "the provider changes its interface",
    "likelihood": "low",
    "impact": "high",
    "mitigation": "pin its version",
}
_DECISION = {
    "id": "d-1",
    "kind": "originate",
    "what": "a token store",
    "reason": "there is none",
    "source": "scope",
    "places": [_PLACE],
}


def _task(name: str, phase: str, needs: list[str]) -> dict[str, Any]:
    return {
        "id": name,
        "title": f"Carry out {name}",
        "phase": phase,
        "weight": 10,
        "depends_on": needs,
        "paths": ["app/"],
        "evidence": ["the tests pass"],
        "decisions": ["d-1"],
    }


SAMPLES: dict[str, Any] = {
    "planning-scope": {
        "summary": "A small program with a login",
        "languages": ["Python"],
        "parts": [{"name": "login", "purpose": "lets people in", "places": [_PLACE]}],
        "patterns": [{"statement": "plain functions", "places": [_PLACE]}],
        "capabilities": [{"statement": "checks a password"}],
        "constraints": [],
        "candidates": [_CANDIDATE],
        "unknowns": ["who runs it"],
    },
    "planning-research": {
        "summary": "Use the authorization code flow",
        "practices": ["short-lived tokens"],
        "options": [
            {"name": "library", "summary": "take one", "advantages": ["tested"], "disadvantages": ["one more"]}
        ],
        "recommendation": "library",
        "actions": ["choose it"],
        "candidates": [_CANDIDATE],
        "sources": [{"title": "RFC 6749", "reference": "section 4.1", "checked": True}],
        "not_checked": [],
    },
    "planning-dependencies": {
        "summary": "One dependency",
        "manifests": ["requirements.txt"],
        "dependencies": [{"name": "flask", "declared": ">=3", "manifest": "requirements.txt", "risk": "low"}],
        "troubles": [{"kind": "outdated", "dependencies": ["flask"], "detail": "3.0 is old", "proposal": "raise it"}],
        "candidates": [],
        "not_checked": ["vulnerabilities"],
    },
    "milestone-plan": {
        "summary": "Tokens first, then the login",
        "objectives": {
            "primary": "People log in with OAuth",
            "secondary": ["no passwords"],
            "success_criteria": ["a test logs in"],
        },
        "scope": {"included": ["login"], "excluded": ["registration"], "constraints": ["Python 3.11"]},
        "decisions": [_DECISION],
        "tasks": [_task("t-1", "design", []), _task("t-2", "execute", ["t-1"])],
        "estimates": {"design": 1.0, "spec": 2.0, "task": 1.5, "execute": 8.0},
        "timeline": [{"stage": "tokens", "duration": "1 week", "outcome": "a store"}],
        "risks": [_RISK],
        "dependencies": {"requires": ["accounts"], "blocks": []},
    },
    "planning-documentation": {
        "summary": "One decision, told to people",
        "records": [
            {
                "decision": "d-1",
                "title": "Tokens",
                "context": "none yet",
                "choice": "a store",
                "consequences": ["a table"],
            }
        ],
        "risks": [_RISK],
        "files": [{"name": "decisions.md", "title": "Decisions", "content": "# Decisions\n\nA token store — yes.\n"}],
    },
    "planning-complete": True,
}
