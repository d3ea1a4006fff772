"""The log of a server: JSON lines on standard error, in which nothing that came from the network can forge a line.

`serve` configures it before anything else is imported; the rooms only ask structlog for a logger.
"""

from __future__ import annotations

import json
import logging
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types import ModuleType


class LogLevel(StrEnum):
    """How much is told."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The level as `logging` numbers it."""
        return logging.getLevelNamesMapping()[self.upper()]


def configure(level: LogLevel) -> None:
    """Send the events of structlog and the records of `logging` to standard error, from `level` on."""
    structlog = _structlog()
    shared = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer = structlog.processors.JSONRenderer(serializer=escaped)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level.number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[without_meta, renderer], foreign_pre_chain=shared)
    )
    logging.basicConfig(level=level.number, handlers=[handler], force=True)


def escaped(event: Any, **options: Any) -> str:
    """Write JSON in ASCII: control characters, ESC, DEL and U+2028 among them, are escaped."""
    return json.dumps(event, ensure_ascii=True, **options).replace("\x7f", "\\u007f")


def _structlog() -> Any:
    """Import structlog without the renderer for consoles, which would load rich at every start."""
    kept = sys.modules.get("rich")
    sys.modules["rich"] = cast("ModuleType", kept)
    try:
        import structlog
    finally:
        if kept is None:
            del sys.modules["rich"]
    return structlog
