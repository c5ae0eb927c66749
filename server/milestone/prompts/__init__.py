"""Prompts and playbooks as source: read, checked and rendered."""
