"""Small valid values for every key of the planning playbook, as honest agents would save them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_PLACE = {"file": "app/login.py", "line": 1}
_KEEP = {"kind": "keep", "what": "The session cookie", "reason": "It works and is tested", "places": [_PLACE]}
_RISK = {"risk": "The provider is down", "likelihood": "low", "impact": "high", "mitigation": "Passwords stay possible"}

VALUES: Mapping[str, Any] = {
    "planning-scope": {
        "summary": "A small application with a password login.",
        "languages": ["Python"],
        "parts": [{"name": "login", "purpose": "Lets people in", "places": [_PLACE]}],
        "patterns": [{"statement": "One function for each view", "places": [_PLACE]}],
        "capabilities": [{"statement": "Login with a password", "places": [_PLACE]}],
        "constraints": [{"statement": "No database", "places": []}],
        "candidates": [_KEEP],
        "unknowns": [],
    },
    "planning-research": {
        "summary": "The code flow with PKCE is the common way.",
        "practices": ["Use PKCE", "Check the state parameter"],
        "options": [
            {"name": "library", "summary": "Use one", "advantages": ["short"], "disadvantages": ["a dependency"]}
        ],
        "recommendation": "library",
        "actions": ["Add the callback view"],
        "candidates": [{"kind": "originate", "what": "A callback view", "reason": "OAuth needs one", "places": []}],
        "sources": [{"title": "RFC 7636", "reference": "rfc7636", "checked": False}],
        "not_checked": ["RFC 7636 was not read again"],
    },
    "planning-dependencies": {
        "summary": "One declared dependency.",
        "manifests": ["requirements.txt"],
        "dependencies": [
            {"name": "flask", "declared": ">=3", "manifest": "requirements.txt", "risk": "low", "note": ""}
        ],
        "troubles": [],
        "candidates": [],
        "not_checked": ["known vulnerabilities"],
    },
    "milestone-plan": {
        "summary": "Add a login through a provider beside the password.",
        "objectives": {
            "primary": "People log in with OAuth",
            "secondary": [],
            "success_criteria": ["A login ends signed in"],
        },
        "scope": {"included": ["The callback view"], "excluded": ["Other providers"], "constraints": ["No database"]},
        "decisions": [
            {
                "id": "d-callback",
                "kind": "originate",
                "what": "A callback view",
                "reason": "OAuth",
                "source": "research",
            }
        ],
        "tasks": [
            {
                "id": "t-callback",
                "title": "Write the callback view",
                "phase": "execute",
                "weight": 3,
                "depends_on": [],
                "paths": ["app/login.py"],
                "evidence": ["The tests pass"],
                "decisions": ["d-callback"],
            }
        ],
        "estimates": {"design": 1.5, "spec": 2.5, "task": 2.0, "execute": 4.0},
        "timeline": [{"stage": "design", "duration": "1 day", "outcome": "The flow is drawn"}],
        "risks": [_RISK],
        "dependencies": {"requires": [], "blocks": []},
    },
    "planning-documentation": {
        "summary": "One decision, written down.",
        "records": [
            {
                "decision": "d-callback",
                "title": "A callback view",
                "context": "OAuth needs one",
                "choice": "We write one",
                "consequences": ["One more view to test"],
            }
        ],
        "risks": [_RISK],
        "files": [
            {
                "name": "design_decisions.md",
                "title": "Decisions",
                "content": "# Decisions\n\nWe write a callback view.\n",
            }
        ],
    },
    "planning-complete": True,
}


KEYS: Mapping[str, Sequence[str]] = {
    "scope": ("planning-scope",),
    "research": ("planning-research",),
    "dependencies": ("planning-dependencies",),
    "plan": ("milestone-plan",),
    "record": ("planning-documentation", "planning-complete"),
}
"""What each task of the planning playbook delivers."""

NEEDS: Mapping[str, Sequence[str]] = {
    "plan": ("planning-scope", "planning-research", "planning-dependencies"),
    "record": ("planning-scope", "planning-research", "planning-dependencies", "milestone-plan"),
}
"""What a task reads before it begins."""

TYPES: Mapping[str, str] = {
    "scope": "infra-context-discovery",
    "research": "research-orchestrator",
    "dependencies": "infra-dependency-manager",
    "plan": "project-milestone-planner",
    "record": "doc-architecture-designer",
}
"""The agent type that plays each task."""
