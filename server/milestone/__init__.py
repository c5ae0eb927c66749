"""Milestone: one place where many coding agents plan and carry out a milestone together."""

from __future__ import annotations

__version__ = "0.1.0"
