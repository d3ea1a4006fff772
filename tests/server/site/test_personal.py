from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.features.telephone.settings import Forward, ForwardTargets
from ringfence.server.site.personal import Deletion, settings_of, strip, with_settings
from ringfence.server.site.site import Setting

if TYPE_CHECKING:
    from ringfence.server.site.site import Site

OFF = frozenset({"voicemail"})


def test_pin_and_forwarding_to_the_own_box_go_with_voicemail_and_nothing_else(site: Site) -> None:
    """L-06"""
    user, (deletion,) = strip(site.users[0], OFF, site.voicemail)
    assert user.voicemail_pin is None
    assert user.forward == Forward(no_answer="101", after_s=15)
    assert user.fax_number == "1100"
    assert deletion == Deletion("anna", "voicemail", ("voicemail_pin", "forward.busy"))


def test_settings_of_functions_that_stay_on_are_kept(site: Site) -> None:
    """L-06"""
    assert strip(site.users[0], frozenset({"softphone", "fax"}), site.voicemail) == (site.users[0], ())


def test_who_has_no_settings_loses_none(site: Site) -> None:
    assert strip(site.users[1], OFF, site.voicemail) == (site.users[1], ())


def test_a_setting_of_any_function_goes_with_it_and_no_code_of_the_feature_is_asked(site: Site) -> None:
    """L-06"""
    tone, notice = Setting("softphone", "ring_tone", 3), Setting("fax", "notify", ["anna@firma.example"])
    user = replace(site.users[1], settings=(notice, tone))
    assert settings_of(user, site.voicemail) == (notice, tone)
    stripped, deletions = strip(user, frozenset({"fax", "voicemail"}), site.voicemail)
    assert stripped.settings == (tone,)
    assert deletions == (Deletion("ben", "fax", ("notify",)),)


def test_settings_taken_out_and_put_back_make_the_same_user(site: Site) -> None:
    for user in site.users:
        bare = replace(user, voicemail_pin=None, forward=None)
        assert with_settings(bare, settings_of(user, site.voicemail)) == user


def test_a_forwarding_of_which_nothing_is_left_is_gone(site: Site) -> None:
    """L-06"""
    user = replace(site.users[0], forward=Forward(busy="*100", after_s=15))
    stripped, _ = strip(user, OFF, site.voicemail)
    assert stripped.forward is None
    assert strip(stripped, OFF, site.voicemail) == (stripped, ())


def test_forwardings_for_callers_from_inside_and_outside_are_settings_of_their_own(site: Site) -> None:
    """L-06"""
    forward = Forward(
        always="102", internal=ForwardTargets(busy="*100"), external=ForwardTargets(busy="*100", always="101")
    )
    user = replace(site.users[0], forward=forward)
    assert with_settings(replace(user, forward=None), settings_of(user, site.voicemail)) == user
    stripped, (deletion,) = strip(user, OFF, site.voicemail)
    assert deletion.settings == ("voicemail_pin", "forward.internal.busy", "forward.external.busy")
    assert stripped.forward == Forward(always="102", external=ForwardTargets(always="101"))
