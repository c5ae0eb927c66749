"""Milestone's store as a checkpointer of LangGraph; needs the extra `langgraph`."""

from milestone.surfaces.langgraph.saver import MilestoneSaver

__all__ = ["MilestoneSaver"]
