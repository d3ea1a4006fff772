"""Whether Analytics is open, over HTTP: for everybody or for nobody (L-51 to L-56)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...licensing.analytics import access
from ...licensing.refusal import Refusal
from ..store.tokens import Token
from .operation import API, Routes
from .problem import ProblemError
from .rights import EVERYBODY

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@dataclass(frozen=True, slots=True)
class Access:
    """Analytics is open; whatever closes it is a problem, with the `users` who lack a licence."""

    open: bool


@routes.get(f"{API}/analytics/access", may=EVERYBODY)
async def read_analytics_access(pbx: "Pbx", who: Token) -> Access:
    """Answer 200 if Analytics is open, else 403; an administrator is told which team members lack TeamDesk.

    No TAPI or CSTA application can be connected yet, and without one it is closed (L-54).
    """
    now = pbx.administration
    answer = access(now.directory.site.teams, now.allocation, cti=False)
    if isinstance(answer, Refusal):
        refusal = answer if who.kind == "administrator" else Refusal(answer.reason)
        raise ProblemError.of(pbx.decisions.mint(refusal, "access to Analytics", user=who.user))
    return Access(open=True)
