"""Licence packages signed with the developer key, for tests that import some."""

from __future__ import annotations

from importlib.resources import files

from ringfence.licensing.package import issue

_KEY = (files("ringfence.fixtures") / "keys" / "developer.key").read_text(encoding="ascii").strip()


def issued(id: str, *, until: str | None = None, **licences: int) -> bytes:  # noqa: A002 - as in `issue`
    """A package that counts from 2020 on, and up to the day or instant `until`."""
    return issue(_KEY, id=id, customer="Firma", licences=licences, issued="2020-01-01", not_after=until)
