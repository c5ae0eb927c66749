"""What the research stand-in delivers: the plain statement that no research was done."""

from __future__ import annotations

from milestone.domain.results import PlanningResearch


def planning_research() -> PlanningResearch:
    """Return a result without findings: a rule can look up nothing, and nothing is made up."""
    return PlanningResearch(
        summary="No research was done: this is a rehearsal without a model, and a rule cannot weigh what others do.",
        practices=[],
        options=[],
        recommendation="Have a model or a person do the research before this plan is carried out.",
        actions=["Do the research: practices, options and comparable projects, every source named."],
        candidates=[],
        sources=[],
        not_checked=[
            "Best practices for the goal were not looked up.",
            "Architectural options were not compared.",
            "No similar implementation was read, and no source was asked.",
        ],
    )
