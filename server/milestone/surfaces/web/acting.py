"""The pages that act: first what will happen, then the call, then where it shows what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Missing, Refusal
from milestone.domain.identity import Caller
from milestone.operations.catalogue import REGISTRY
from milestone.operations.context import Context
from milestone.surfaces.web import pages, steering
from milestone.surfaces.web.guard import Form
from milestone.surfaces.web.site import Note
from milestone.wiring import random_hex

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_CARRIED = ("task", "phase", "checkpoint", "tree", "request_id")
_REFUSED = 409


async def ask(request: Request) -> Response:
    """Show what an action will do, and ask for what it needs."""
    query = request.query_params
    form: Form = {name: query.getlist(name) for name in query}
    return await _confirmation(request, {**form, "request_id": [random_hex(8)]})


async def act(request: Request) -> Response:
    """Carry out an action that was confirmed, then lead to where it shows; a refusal is shown with the form."""
    from starlette.responses import RedirectResponse

    form: Form = request.state.form
    milestone_id = request.path_params["milestone_id"]
    action = _action(request)
    site = pages.site_of(request)
    try:
        given = steering.arguments(action, milestone_id, form)
        if action.about == "checkpoint":
            await pages.of_milestone(request, lambda ctx, row: pages.known_checkpoint(ctx, row, given["checkpoint_id"]))
        if REGISTRY[action.operation].listed:
            given["request_id"] = f"page-{steering.first(form, 'request_id')}"[:40]
        answer = await site.door.call(action.operation, given, Caller())
    except Missing:
        raise
    except Refusal as refusal:
        return await _confirmation(request, form, refusal)
    said = site.notes.keep(Note(action.done, {key: value for key, value in answer.items() if key != "next"}))
    return RedirectResponse(f"/m/{milestone_id}?said={said}", 303)


def _action(request: Request) -> steering.Action:
    name = request.path_params["action"]
    found = steering.ACTIONS.get(name)
    if found is None:
        raise Missing(f"There is no action {name!r}", allowed=", ".join(steering.ACTIONS))
    return found


async def _confirmation(request: Request, form: Form, refusal: Refusal | None = None) -> Response:
    action, name = _action(request), request.path_params["action"]
    about = steering.subject(action, form)
    title = action.title.format(about=about)
    found = await pages.of_milestone(request, lambda ctx, row: {"concerned": _concerned(ctx, row, form)})
    target = f"/m/{request.path_params['milestone_id']}/do/{name}/confirmed"
    carried = [(field, value) for field in _CARRIED for value in form.get(field, [])[: steering.MOST_TASKS]]
    fields = [
        (field, *steering.FIELDS[field], steering.first(form, field), field in action.needed())
        for field in action.fields()
    ]
    shown: dict[str, Any] = {"title": title, "action": action, "target": target, "refusal": refusal, "still": True}
    status = _REFUSED if refusal else 200
    response = await pages.drawn(
        request, "confirm.html", status=status, **shown, carried=carried, fields=fields, **found
    )
    # With no-referrer a browser would send the form with the origin "null", and it would be turned away.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _concerned(ctx: Context, row: Mapping[str, Any], form: Form) -> list[dict[str, Any]]:
    """Return the tasks that an action is about."""
    named = form.get("task", [])[: steering.MOST_TASKS]
    return [dict(task) for name in named if (task := ctx.store.tasks.get(row["milestone_id"], name))]
