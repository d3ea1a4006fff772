"""Where in a TOML text a key stands, so that a message about it can name the line.

`tomllib` gives values without positions; the reader calls `lines` only when it has a fault to tell.
The text has passed `tomllib` before, so this scanner trusts its syntax (TOML 1.0).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .problem import KeyPath

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = re.compile(
    r"""
    \"{3} (?:\\.|[^\\])*? \"{3,5}
    | '{3} .*? '{3,5}
    | " (?:\\.|[^"\\\n])* "
    | ' [^'\n]* '
    """,
    re.DOTALL | re.VERBOSE,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def lines(text: str) -> dict[KeyPath, int]:
    """Map each table, key and array element of `text` to its line, counted from 1.

    A path is keys, and indexes into arrays and arrays of tables, e.g. `("user", 2, "name")`.
    """
    return _Scanner(text).scan()


def line_of(found: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """The line of `path` among what `lines` found, or of the nearest thing around it that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return None


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.found: dict[KeyPath, int] = {}
        self.sizes: dict[KeyPath, int] = {}
        self.counted_to = 0
        self.line = 1

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip(newlines=True):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table, newlines=False)
        return self.found

    def _skip(self, *, newlines: bool) -> bool:
        """Move past blanks and comments (and line ends); False at the end of the text."""
        blank = " \t\n" if newlines else " \t"
        while self.at < len(self.text):
            if self.text[self.at] in blank:
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return True
        return False

    def _note(self, path: KeyPath) -> None:
        self.line += self.text.count("\n", self.counted_to, self.at)
        self.counted_to = self.at
        self.found.setdefault(path, self.line)

    def _key(self) -> str:
        if match := _BARE.match(self.text, self.at):
            self.at = match.end()
            return match[0]
        raw = self._string()
        return raw[1:-1] if raw[0] == "'" else _unescaped(raw[1:-1])

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._skip(newlines=False) and self.text[self.at] == ".":
            self.at += 1
            self._skip(newlines=False)
            keys.append(self._key())
        return keys

    def _string(self) -> str:
        match = _STRINGS.match(self.text, self.at)
        if match is None:
            raise ValueError(f"no TOML string at character {self.at}")
        self.at = match.end()
        return match[0]

    def _header(self) -> KeyPath:
        array = self.text.startswith("[[", self.at)
        start = self.at
        self.at += 2 if array else 1
        self._skip(newlines=False)
        *parents, last = self._keys()
        end = self.text.index("]", self.at)
        self.at = start
        path: KeyPath = ()
        for key in parents:
            path = self._inside((*path, key))
        path = (*path, last)
        self._note(path)
        if array:
            self.sizes[path] = self.sizes.get(path, 0) + 1
            path = self._inside(path)
            self._note(path)
        self.at = end + (2 if array else 1)
        return path

    def _inside(self, path: KeyPath) -> KeyPath:
        """The path of the newest element where `path` is an array of tables, else `path`."""
        size = self.sizes.get(path)
        return path if size is None else (*path, size - 1)

    def _pair(self, table: KeyPath, *, newlines: bool) -> None:
        start = self.at
        path = table
        for key in self._keys():
            path = (*path, key)
            end, self.at = self.at, start
            self._note(path)
            self.at = end
        self._skip(newlines=newlines)
        self.at += 1  # the equals sign
        self._skip(newlines=newlines)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            self._string()
        elif opening == "[":
            self._list(path)
        elif opening == "{":
            self._inline_table(path)
        elif match := _SCALAR.match(self.text, self.at):
            self.at = match.end()

    def _list(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self._skip(newlines=True) and self.text[self.at] != "]":
            self._note((*path, index))
            self._value((*path, index))
            index += 1
            if self._skip(newlines=True) and self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self._skip(newlines=True) and self.text[self.at] != "}":
            self._pair(path, newlines=True)
            if self._skip(newlines=True) and self.text[self.at] == ",":
                self.at += 1
        self.at += 1


def _unescaped(raw: str) -> str:
    def one(match: re.Match[str]) -> str:
        escape = match[1]
        return _ESCAPES[escape] if escape in _ESCAPES else chr(int(escape[1:], 16))

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", one, raw)
