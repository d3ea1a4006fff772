"""Ringfence: a telephony server for test suites, in which every function is gated by licences.

The facade is lazy on purpose: the pytest plugin lives below this package and must not pull the server in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server.app import Pbx
    from .server.site.site import Site

__all__ = ["Pbx", "Site", "__version__"]
__version__ = "0.1.0"

_HOMES = {"Pbx": ".server.app", "Site": ".server.site.site"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
