"""What a file is, told from its name alone: language, test, licence, CI, generated."""

from __future__ import annotations

import re

_BY_SUFFIX = {
    "Ada": "adb ads",
    "Assembly": "asm s",
    "Astro": "astro",
    "C": "c h",
    "C#": "cs",
    "C++": "cc cpp cxx hh hpp hxx ipp",
    "CSS": "css less sass scss",
    "Clojure": "clj cljc cljs",
    "Crystal": "cr",
    "D": "d",
    "Dart": "dart",
    "Elixir": "ex exs",
    "Elm": "elm",
    "Erlang": "erl hrl",
    "F#": "fs fsi fsx",
    "Fortran": "f f03 f08 f90 f95 for",
    "Go": "go",
    "Groovy": "gradle groovy",
    "HCL": "hcl tf",
    "HTML": "htm html",
    "Haskell": "hs lhs",
    "JSON": "json jsonc jsonl",
    "Java": "java",
    "JavaScript": "cjs js jsx mjs",
    "Julia": "jl",
    "Kotlin": "kt kts",
    "Lua": "lua",
    "Markdown": "markdown md mdx",
    "Nim": "nim",
    "Nix": "nix",
    "OCaml": "ml mli",
    "Objective-C": "m mm",
    "PHP": "php",
    "Pascal": "pas pp",
    "Perl": "pl pm",
    "PowerShell": "ps1 psm1",
    "Prolog": "pro prolog",
    "Protocol Buffers": "proto",
    "Python": "py pyi pyw",
    "R": "r",
    "Racket": "rkt",
    "Ruby": "gemspec rake rb",
    "Rust": "rs",
    "SQL": "sql",
    "Scala": "sbt sc scala",
    "Scheme": "scm ss",
    "Shell": "bash fish sh zsh",
    "Solidity": "sol",
    "Svelte": "svelte",
    "Swift": "swift",
    "TOML": "toml",
    "TypeScript": "cts mts ts tsx",
    "V": "v",
    "Vue": "vue",
    "XML": "xml xsd xsl",
    "YAML": "yaml yml",
    "Zig": "zig",
    "reStructuredText": "rst",
}
LANGUAGE = {suffix: language for language, suffixes in _BY_SUFFIX.items() for suffix in suffixes.split()}
_BY_NAME = {
    "CMake": "CMakeLists.txt",
    "Dockerfile": "Dockerfile Containerfile",
    "Just": "Justfile justfile",
    "Make": "Makefile GNUmakefile makefile",
    "Ruby": "Gemfile Rakefile",
}
NAMED = {name: language for language, names in _BY_NAME.items() for name in names.split()}
SHEBANG = re.compile(rb"#!.*?\b(python|bash|zsh|sh|node|ruby|perl|php|deno|lua)[\d.]*\b")
_BY_INTERPRETER = {
    "JavaScript": "node",
    "Lua": "lua",
    "PHP": "php",
    "Perl": "perl",
    "Python": "python",
    "Ruby": "ruby",
    "Shell": "bash sh zsh",
    "TypeScript": "deno",
}
INTERPRETED = {name: language for language, names in _BY_INTERPRETER.items() for name in names.split()}

# What is written to be read or configured; it needs no tests of its own.
NO_CODE = frozenset({"CSS", "HTML", "JSON", "Markdown", "TOML", "XML", "YAML", "reStructuredText"})

_BINARY = (
    "7z a avi bin bmp bz2 class db dll dmg doc docx dylib eot exe flac gif gz ico jar jpeg jpg lib mo mov mp3 mp4 o "
    "odt ogg otf pdf png ppt pptx psd pyc pyd rar so sqlite sqlite3 tar tgz tif tiff ttf war wasm wav webm webp whl "
    "woff woff2 xls xlsx xz zip zst"
)
BINARY = frozenset(_BINARY.split())
GENERATED = re.compile(
    r"(\.min\.(js|css)|\.map|\.lock|\.pb\.go|_pb2\.pyi?|\.g\.dart)$"
    r"|(^|/)(package-lock\.json|pnpm-lock\.yaml|go\.sum|npm-shrinkwrap\.json)$"
)
_TEST_FOLDERS = frozenset({"test", "tests", "testing", "spec", "specs", "__tests__", "e2e", "androidtest"})
_TEST_NAME = re.compile(
    r"(^test_.*|.*_test|.*_tests|.*_spec|.*\.test|.*\.spec|.*\.e2e|^tests?|.*[a-z0-9]Tests?|.*[a-z0-9]Spec|^conftest)$"
)
_FIXTURES = frozenset({"fixtures", "__fixtures__", "testdata", "test-data", "test_data", "cassettes", "snapshots"})
_LICENCE = re.compile(r"(licen[cs]e|copying|unlicense)([._-].*)?", re.IGNORECASE)
_CI = re.compile(
    r"(\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml|\.circleci/config\.yml|\.travis\.yml|Jenkinsfile|appveyor\.yml"
    r"|azure-pipelines\.yml|bitbucket-pipelines\.yml|\.drone\.yml|\.cirrus\.yml|\.woodpecker(/[^/]+)?\.ya?ml|\.ci/[^/]+"
    r"|\.buildkite/[^/]+\.ya?ml|\.builds/[^/]+\.yml)"
)


def name_of(path: str) -> str:
    """Return the last part of a path."""
    return path.rpartition("/")[2]


def suffix_of(path: str) -> str:
    """Return the last suffix in lower case, without its dot."""
    stem, dot, suffix = name_of(path).rpartition(".")
    return suffix.lower() if stem and dot else ""


def language_of(path: str) -> str:
    """Return the language a file name stands for, empty if none; `.h` counts as C and `.m` as Objective-C."""
    return NAMED.get(name_of(path)) or LANGUAGE.get(suffix_of(path), "")


def language_by_shebang(content: bytes) -> str:
    """Return the language that the first line of a script names, empty if none."""
    found = SHEBANG.match(content[:200])
    return INTERPRETED[found[1].decode("ascii")] if found else ""


def in_fixtures(path: str) -> bool:
    """Tell whether a file is material of tests, rather than part of the project."""
    return not _FIXTURES.isdisjoint(path.lower().split("/")[:-1])


def is_test(path: str, language: str) -> bool:
    """Tell whether a file of code is a test, by its folder or its name."""
    if not language or language in NO_CODE or in_fixtures(path):
        return False
    *folders, name = path.split("/")
    in_tests = not _TEST_FOLDERS.isdisjoint(folder.lower() for folder in folders)
    return in_tests or bool(_TEST_NAME.match(name.rpartition(".")[0] or name))


def is_licence(path: str) -> bool:
    """Tell whether a file at the top, or in `LICENSES/`, is a licence."""
    folder, _, name = path.rpartition("/")
    return folder.upper() in ("LICENSES", "LICENCES") or (not folder and bool(_LICENCE.fullmatch(name)))


def is_readme(path: str) -> bool:
    """Tell whether a file at the top introduces the project."""
    return "/" not in path and name_of(path).partition(".")[0].lower() == "readme"


def is_ci(path: str) -> bool:
    """Tell whether a file configures continuous integration."""
    return bool(_CI.fullmatch(path))


def is_binary(path: str) -> bool:
    """Tell whether a file is binary by its name."""
    return suffix_of(path) in BINARY


def is_generated(path: str) -> bool:
    """Tell whether a file is written by a tool, by its name."""
    return bool(GENERATED.search(path))


def is_meant_empty(path: str) -> bool:
    """Tell whether an empty file of this name does its work by existing."""
    name = name_of(path)
    return name in ("__init__.py", "py.typed", "CNAME") or name.startswith(".")
