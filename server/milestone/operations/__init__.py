"""The use cases, one function each; its name, types and docstring are the tool, the command and the docs."""
