"""Commands that a host's hooks start: they read little, import little, and end with success within two seconds."""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from typing import Any

from milestone.domain.errors import Refusal
from milestone.operations.overview import reminder
from milestone.store.engine import run
from milestone.wiring import Application, Settings

_WHOLE = 1.8
_READ = 0.5
_INPUT = 1 << 20


def session_start(settings: Settings) -> int:
    """Print what a new host session must know, as its SessionStart hook expects it; nothing where there is nothing."""
    _end_in_time()
    _drain(0)
    if settings.hooks:
        text = _reminder(settings)
        if text:
            said = {"hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": text}}
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
    os._exit(0)  # whatever is left to clean up must not make the host wait


def _reminder(settings: Settings) -> str:
    application = Application(settings)
    try:
        engine = application.engine()
        return run(engine, lambda tx: reminder(application.store(tx)), write=False, patience=1.0) if engine else ""
    except (Refusal, OSError) as error:
        sys.stderr.write(f"milestone: {error}\n")
    except Exception as error:  # noqa: BLE001 - a hook has no failure that is worth stopping a host for
        sys.stderr.write(f"milestone: the session starts without a reminder ({type(error).__name__})\n")
    return ""


def _end_in_time() -> None:
    timer = threading.Timer(_WHOLE, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _drain(descriptor: int) -> Any:
    """Take the host's input so that it does not break off, but never wait for its end."""
    taken = 0
    try:
        while taken < _INPUT and select.select([descriptor], [], [], _READ)[0]:
            data = os.read(descriptor, 1 << 16)
            taken += len(data)
            if not data or data.rstrip().endswith(b"}"):
                return
    except (OSError, ValueError):
        return
