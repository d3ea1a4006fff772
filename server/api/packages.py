"""Licence packages over HTTP: which there are, and how one is imported (L-11 to L-14)."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from ...licensing.overview import PackageShown, package_shown
from ...licensing.package import read
from ..site.acts import ImportPackage
from ..store.tokens import Token
from .changes import Changes, carry_out
from .operation import API, Routes

if TYPE_CHECKING:
    from ..app import Pbx

routes = Routes()


@routes.get(f"{API}/licences/packages")
async def list_packages(pbx: "Pbx") -> list[PackageShown]:
    """List the licence packages in the order of their import, and whether each counts."""
    entitlement = pbx.administration.entitlement
    return [package_shown(one, entitlement) for one in entitlement.packages]


@routes.post(f"{API}/licences/packages", status=HTTPStatus.CREATED)
async def import_package(
    pbx: "Pbx", who: Token, package: bytes, dry_run: bool = False
) -> PackageShown | Changes:
    """Import a licence package, the body byte for byte as issued; one that is there already changes nothing."""
    outcome = await carry_out(pbx, who, ImportPackage(package), dry_run=dry_run)
    if isinstance(outcome, Changes):
        return outcome
    return package_shown(read(package), outcome.after.entitlement)
