from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.server.site.personal import Deletion, strip
from ringfence.server.site.site import Forward

if TYPE_CHECKING:
    from ringfence.server.site.site import Site

OFF = frozenset({"voicemail"})


def test_pin_and_forwarding_to_the_own_box_go_with_voicemail_and_nothing_else(site: Site) -> None:
    """L-06"""
    user, deletion = strip(site.users[0], OFF, site.voicemail)
    assert user.voicemail_pin is None
    assert user.forward == Forward(no_answer="101", after_s=15)
    assert user.fax_number == "1100"
    assert deletion == Deletion("anna", "voicemail", ("voicemail_pin", "forward.busy"))


def test_settings_of_functions_that_stay_on_are_kept(site: Site) -> None:
    """L-06"""
    assert strip(site.users[0], frozenset({"softphone", "fax"}), site.voicemail) == (site.users[0], None)


def test_who_has_no_settings_loses_none(site: Site) -> None:
    assert strip(site.users[1], OFF, site.voicemail) == (site.users[1], None)


def test_a_forwarding_of_which_nothing_is_left_is_gone(site: Site) -> None:
    user, _ = strip(site.users[0], OFF, site.voicemail)
    again, deletion = strip(user, OFF, site.voicemail)
    assert (again, deletion) == (user, None)
