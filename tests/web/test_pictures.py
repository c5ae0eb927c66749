"""The pictures on the page: drawn once for all who look, in both themes; without the extra the tables stand alone."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from milestone.surfaces import charts
from milestone.surfaces.web.app import unguarded
from milestone.surfaces.web.charting import LOOKS, Pictures
from milestone.surfaces.web.keys import Keys
from milestone.surfaces.web.site import Site
from milestone.wiring import Application, read_settings
from tests.helpers.execution import task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess
from tests.web.serving import serving

WORK = (task("design-it", "design"), task("build-it", "execute", ("design-it",), ("app/",)))
WITH = (("tasks", "graph"), ("agents", "timeline"), ("progress", "burnup"), ("progress", "phases"))


@pytest.fixture(scope="module")
def execution(new_repository: Callable[..., Project]) -> Execution:
    """A milestone of which something is done."""
    begun = Execution.begin(InProcess(new_repository()), *WORK)
    begun.to("build-it")
    return begun


def test_pages_hold_pictures_for_both_themes_and_for_phones(execution: Execution) -> None:
    with serving(execution.project) as dashboard:
        for view, name in WITH:
            page = dashboard.get(f"/m/{execution.milestone_id}/{view}")
            sources = re.findall(
                rf'"(/m/{execution.milestone_id}/chart/{name}\.svg[^"]*)" width="\d+" height="\d+"', page
            )
            assert len(sources) == 4
            assert "<table>" in page
            drawn = [dashboard.ask("GET", one.replace("&amp;", "&")) for one in sources]
            assert {(one.status, one.headers["content-type"]) for one in drawn} == {(200, "image/svg+xml")}
            assert len({one.text for one in drawn}) == 4
            assert not [one for one in drawn if "<script" in one.text or re.search(r'href="(?!#)', one.text)]
        assert {name for _, name in WITH} == LOOKS.keys()


def test_without_the_extra_there_are_tables_and_nothing_is_missing(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "available", lambda: False)
    application = Application(read_settings(execution.project.environment))
    site = Site(application, Keys(1))
    with TestClient(unguarded(site)) as client:
        for view, _ in WITH:
            page = client.get(f"/m/{execution.milestone_id}/{view}").text
            assert "<picture>" not in page
            assert "<table>" in page
        assert client.get(f"/m/{execution.milestone_id}/chart/graph.svg").status_code == 404
    application.close()


@pytest.mark.anyio
async def test_a_picture_is_drawn_once_in_a_thread_however_many_ask_and_again_after_a_failure() -> None:
    """Planted and found: a picture that is drawn for each who asks."""
    pictures, drawn = Pictures(), []

    def draw() -> bytes:
        drawn.append(threading.current_thread())
        if len(drawn) == 1:
            raise OSError
        return b"<svg/>"

    with pytest.raises(OSError):  # noqa: PT011 - as raised above
        await pictures.get(("m", "graph"), draw)
    assert await asyncio.gather(*(pictures.get(("m", "graph"), draw) for _ in range(9))) == [b"<svg/>"] * 9
    assert len(drawn) == 2
    assert threading.main_thread() not in drawn
    pictures.close()


def test_however_much_happens_a_picture_is_new_only_every_few_seconds() -> None:
    pictures = Pictures(rest=3_600)
    assert [pictures.version("m", position) for position in (5, 5, 6, 7)] == [5] * 4
    assert [pictures.version("other", position) for position in (6, 7)] == [6] * 2
    quick = Pictures(rest=0)
    assert [quick.version("m", position) for position in (5, 5, 6, 7)] == [5, 5, 6, 7]


def test_a_link_that_opens_once_opens_once_and_the_other_as_long_as_it_is_served() -> None:
    keys = Keys(1)
    assert [keys.opens(keys.once), keys.opens(keys.token), keys.opens(keys.token)] == [True] * 3
    used = Keys(1)
    once = used.once
    assert [used.opens(once), used.opens(once), used.opens(""), used.opens("é")] == [True, False, False, False]
    assert len({keys.token, keys.once, keys.set_cookie.split(";")[0].partition("=")[2], keys.form("/")}) == 4
