"""What can go wrong by the rules, as data: a code, the source of the rule and its facts.

The sentence for a person stands under `error.<code>` in `shared/texts`; the status it gets on the wire is chosen in
`server/errors.py` alone.
"""

from __future__ import annotations

from collections.abc import Mapping


class RuleBroken(Exception):
    """A rule of law, of the protocol or of this office does not allow what was asked.

    code    one of CODES
    source  the article, paragraph or decision the rule comes from; empty when it is plain sense
    facts   the values the sentence names
    """

    def __init__(self, code: str, source: str = "", **facts: object) -> None:
        if code not in CODES:
            raise ValueError(f"unknown error code {code}")
        super().__init__(code)
        self.code = code
        self.source = source
        self.facts: Mapping[str, object] = facts

    def __str__(self) -> str:
        return f"{self.code} {dict(self.facts)}"


CODES = frozenset(
    """
    not_found not_allowed wrong_hat
    no_members not_entitled recused vote_closed vote_open already_decided no_reason too_late_to_undo decision_standing
    conflict_undeclared conflict_declared group_too_small leader_not_in_group not_a_member term_over member_twice
    mandate_missing mandate_standing visit_not_started visit_started visit_closed not_in_group already_assigned
    report_missing report_changed report_signed report_unsigned report_submitted wrong_version already_signed
    finding_unknown question_open question_unknown
    call_closed call_open not_eligible candidate_unknown round_open round_closed election_closed
    code_wrong code_used code_expired device_waiting device_revoked device_stopped device_unknown
    second_officer_needed same_person
    login_wrong login_wait session_over passphrase_short passphrase_common
    institution_unknown
    line_unreadable line_too_large body_wrong kind_wrong_subject
    frame_unreadable frame_too_large frame_forged frame_waits frame_clock frame_early proposer_gone
    signature_wrong nonce_wrong version_unknown request_unreadable request_too_large
    key_missing seal_broken
    hash_wrong media_unknown media_too_large media_no_room media_over_quota
    bundle_unreadable bundle_version bundle_too_large bundle_foreign bundle_not_for_us bundle_cut bundle_altered
    bundle_disk bundle_sender bundle_old bundle_doubled bundle_nothing tablet_enrolled
    too_many
    """.split()
)
