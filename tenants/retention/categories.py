"""The table of the privacy notices: each data category, how long it is kept, and what ends it.

To change a promise, add a policy at the end of `POLICIES` with the day from which it holds, and its digest
to `DIGESTS`. Never change one that stands here: deadlines that are stored name the version they follow.
"""

from __future__ import annotations

from mandant.tenants.retention.policy import Policy
from mandant.tenants.retention.rule import Anchor, Apart, Deletion, Lengthening, Period, Rule, Statute
from mandant.vault.category import Category

__all__ = ["DIGESTS", "POLICIES", "POLICY"]

_GOES = (Deletion.SHRED, Deletion.DELETE)
_BOOKS = Statute("OR 958f", 10)

_FIRST = Policy(
    "2026-11-22",
    rules=(
        Rule(
            Category.CONTRACT,
            german="Vertragsdaten",
            english="contract data",
            source="C5.1",
            period=Period(months=120),
            anchor=Anchor.LAST_CONTRACT_ACTIVITY,
            not_before=Anchor.CONTRACTS_ENDED,
            statute=_BOOKS,
            deletion=_GOES,
        ),
        Rule(
            Category.TECHNICAL,
            german="Technologiedaten",
            english="technical data",
            source="C5.2",
            period=Period(days=30),
            anchor=Anchor.CREATED,
            lengthened=Lengthening(Period(months=12)),
            deletion=_GOES,
        ),
        Rule(
            Category.REGISTRATION,
            german="Benutzer- und Unternehmensdaten",
            english="user and company data",
            source="C5.3",
            period=Period(months=3),
            anchor=Anchor.ACCOUNT_TERMINATED,
            deletion=_GOES,
            apart=(Apart("leaving member", "C4.3", Period(months=3), (Anchor.MEMBERSHIP_ENDED,), _GOES),),
        ),
        Rule(
            Category.MODULE,
            german="Moduldaten",
            english="module data",
            source="C5.4",
            period=Period(months=3),
            anchor=Anchor.CONTRACTS_ENDED,
            deletion=_GOES,
        ),
        Rule(
            Category.BANK,
            german="Bankdaten",
            english="bank data",
            source="C5.5",
            period=Period(months=3),
            anchor=Anchor.CONTRACTS_ENDED,
            deletion=_GOES,
            apart=(
                Apart(
                    "access token",
                    "C5.5",
                    Period(),
                    (Anchor.CONSENT_ENDED, Anchor.CONTRACTS_ENDED),
                    (Deletion.DELETE,),
                ),
            ),
        ),
        Rule(
            Category.BANK_LOG,
            german="Protokoll der Bankschnittstelle",
            english="bank interface log",
            source="C5.5",
            period=Period(months=1),
            anchor=Anchor.CREATED,
            deletion=_GOES,
        ),
        Rule(
            Category.COMMUNICATION,
            german="Kommunikations- und Supportdaten",
            english="communication and support data",
            source="C5.6",
            period=Period(months=3),
            anchor=Anchor.ACCOUNT_TERMINATED,
            deletion=_GOES,
        ),
        Rule(
            Category.BEHAVIOUR,
            german="Präferenz- und Verhaltensdaten",
            english="preference and behaviour data",
            source="C5.7",
            period=Period(months=24),
            anchor=Anchor.CREATED,
            deletion=(Deletion.DELETE, Deletion.ANONYMISE),
        ),
        Rule(
            Category.NEWSLETTER,
            german="Newsletter",
            english="newsletter",
            source="C4.5",
            period=Period(),
            anchor=Anchor.UNSUBSCRIBED,
            deletion=(Deletion.DELETE,),
        ),
        Rule(
            Category.SERVER_LOG,
            german="Serverprotokolle",
            english="server logs",
            source="C16.2",
            period=Period(days=30),
            anchor=Anchor.CREATED,
            deletion=(Deletion.DELETE,),
            apart=(
                Apart(
                    "visitor's IP address",
                    "C16.2 (Z)",
                    Period(),
                    (Anchor.VISITOR_LEFT,),
                    (Deletion.DELETE, Deletion.ANONYMISE),
                ),
            ),
        ),
        Rule(
            Category.ACCOUNTABILITY,
            german="Rechenschaftsdaten",
            english="accountability data",
            # The ledger of accesses outlives the tenant, so that one that nobody was told of can be shown.
            source="C5.4",
            period=Period(months=120),
            anchor=Anchor.PURGED,
            deletion=_GOES,
        ),
        Rule(
            Category.DIRECTORY,
            german="Verzeichnis- und Auftragsdaten",
            english="directory and job data",
            source="C5.3",
            period=Period(),
            anchor=Anchor.ENTRY_ENDED,
            deletion=(Deletion.DELETE,),
        ),
    ),
    cookies=(
        *(
            Apart(name, "C12", Period(months=24), (Anchor.CREATED,), (Deletion.DELETE,))
            for name in ("necessary", "performance", "tracking")
        ),
        Apart("session", "C12 (Z)", Period(), (Anchor.SESSION_ENDED,), (Deletion.DELETE,)),
    ),
)

POLICIES: tuple[Policy, ...] = (_FIRST,)
"""Every version there was, oldest first."""

DIGESTS: dict[str, str] = {
    "2026-11-22": "72e1d8ea22c387f20aa0e483718cf6437ba8110fff08c30635e1f5267c4ff920",
}
"""policy.digest of each: what was promised under a date stays what it was."""

POLICY = POLICIES[-1]
"""The policy of today."""
