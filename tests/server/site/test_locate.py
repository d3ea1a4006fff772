from __future__ import annotations

import string
import tomllib
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from ringfence.server.site.locate import line_of, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.server.site.problem import KeyPath

TEXT = '''# a comment with [brackets] and "quotes"
[server]
name = "Firma # no comment"   # a comment
"quoted key" = 1
[[user]]
name = 'anna'
forward = { busy = "*100", "no_answer" = "}" }
[[location]]
name = """
multi = 1
"""
[[location.group]]
functions = [
  "cti", # the first
  "fax",
]
[[location]]
[[location.group]]
[[location.group]]
name = "second"
[licensing]
modes.fax = { grace_days = 14 }
'''


def test_every_key_table_and_element_has_its_line() -> None:
    expected: dict[KeyPath, int] = {
        ("server",): 2,
        ("server", "name"): 3,
        ("server", "quoted key"): 4,
        ("user", 0): 5,
        ("user", 0, "forward", "busy"): 7,
        ("user", 0, "forward", "no_answer"): 7,
        ("location", 0, "name"): 9,
        ("location", 0, "group", 0, "functions"): 13,
        ("location", 0, "group", 0, "functions", 1): 15,
        ("location", 1): 17,
        ("location", 1, "group", 1, "name"): 20,
        ("licensing", "modes", "fax", "grace_days"): 22,
    }
    found = lines(TEXT)
    assert {path: found.get(path) for path in expected} == expected


def test_windows_line_ends_count_the_same() -> None:
    assert lines(TEXT.replace("\n", "\r\n")) == lines(TEXT)


def test_what_has_no_line_gets_that_of_what_is_around_it() -> None:
    found = lines(TEXT)
    assert line_of(found, ("location", 1, "group", 1, "missing")) == 19
    assert line_of(found, ("nowhere",)) is None


def _paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inside in entries:
        yield (*path, key)
        yield from _paths(inside, (*path, key))


_KEY = st.text(string.ascii_letters + string.digits + "-_ .#=[]{}'ä", min_size=1, max_size=8)
_SCALAR = st.one_of(
    st.integers(-99, 99).map(str),
    st.booleans().map(lambda flag: str(flag).lower()),
    st.text(string.printable.replace("\r", "").replace("\x0b", "").replace("\x0c", ""), max_size=12).map(
        lambda text: (
            '"'
            + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
            + '"'
        )
    ),
)
_VALUE = st.recursive(
    _SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda found: "[\n" + ",\n".join(found) + "]"),
        st.dictionaries(_KEY, inner, max_size=3).map(
            lambda found: "{" + ", ".join(f'"{key}" = {value}' for key, value in found.items()) + "}"
        ),
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(_KEY, st.dictionaries(_KEY, _VALUE, max_size=3)), max_size=4))
def test_whatever_the_toml_each_of_its_paths_is_found(tables: list[tuple[str, dict[str, str]]]) -> None:
    text = "\n".join(
        f'[["{name}"]] # comment\n' + "".join(f'"{key}" = {value}\n' for key, value in body.items())
        for name, body in tables
    )
    assert set(lines(text)) == set(_paths(tomllib.loads(text)))
