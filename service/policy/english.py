"""English."""

from mandant.service.policy.words import Words
from mandant.tenants.retention import POLICY, Anchor, Deletion
from mandant.vault.category import Category

__all__ = ["ENGLISH"]

ENGLISH = Words(
    language="en",
    title="Retention and deletion",
    as_of="Version of {}",
    before=(
        "We keep data for as long as the following overview provides. Unless you delete it or "
        "ask us to, nothing is deleted before its period has ended, and nothing is kept after it, except in "
        "the cases named below.",
    ),
    heads=("Category of data", "Content", "Kept", "At the end"),
    cookies="Cookies",
    cookie_heads=("Kind", "Valid"),
    cookie_at_most="at most {period}",
    behind=(
        "A period of months ends on the day with the same number as the day on which it began; where the "
        "month has no such day, it ends on the last day of the month (Art. 77 of the Swiss Code of "
        "Obligations). The time zone of your company applies. Deletion starts at the beginning of the "
        "following day.",
        "Where the law demands a longer retention, or where data is needed for proceedings, deletion is "
        "replaced by restriction: the data stays encrypted, and only the person responsible for the "
        "restriction can read it. It is deleted once the reason no longer applies.",
        "If these periods change, this overview is issued in a new version with a date, of which we inform "
        "you in due time. A period that is already running is not shortened unless we expressly say so.",
    ),
    names={rule.category: rule.english[0].upper() + rule.english[1:] for rule in POLICY.rules},
    contents={
        Category.CONTRACT: "payments, reminders, debt collection, contract terms and services rendered",
        Category.TECHNICAL: "IP address, device, device identifier, log of users' actions",
        Category.REGISTRATION: "user name, password hash, names and e-mail address; company name, domain, "
        "role and function, number of employees",
        Category.MODULE: "everything that you enter, import, upload, receive through interfaces or produce "
        "with the software",
        Category.BANK: "account data, IBAN, balance, transactions",
        Category.BANK_LOG: "short name of the database, BIC of the bank, technical step, date and time",
        Category.COMMUNICATION: "requests, forms, chat, e-mail, call notes, evidence of identity, recordings",
        Category.BEHAVIOUR: "analysis of use",
        Category.NEWSLETTER: "e-mail address, evidence of consent",
        Category.SERVER_LOG: "time, host name, referring page, IP address, device, operating system, "
        "browser and its version",
        Category.ACCOUNTABILITY: "evidence of accesses to your data and of its deletion",
        Category.DIRECTORY: "encrypted identifiers for sign-in, session and invitation, technical jobs "
        "without content",
    },
    parts={
        "leaving member": "of these: data of a person who leaves a company",
        "access token": "of these: access tokens for the bank",
        "visitor's IP address": "of these: IP address of visitors of the order assistant",
        "necessary": "necessary cookies",
        "performance": "performance cookies",
        "tracking": "tracking cookies",
        "session": "session cookies",
    },
    units={"day": ("day", "days"), "month": ("month", "months"), "year": ("year", "years")},
    after={
        Anchor.CREATED: "{period} from collection",
        Anchor.CONTRACTS_ENDED: "for the duration of the contract and {period} after the end of all "
        "contracts",
        Anchor.LAST_CONTRACT_ACTIVITY: "{period} after the last contract activity",
        Anchor.ACCOUNT_TERMINATED: "{period} after the account is terminated",
        Anchor.MEMBERSHIP_ENDED: "{period} after the person has left the last company",
        Anchor.PURGED: "{period} after your company's data has been deleted",
    },
    until={
        Anchor.CONSENT_ENDED: "until the consent given to the bank ends",
        Anchor.CONTRACTS_ENDED: "until the end of all contracts",
        Anchor.UNSUBSCRIBED: "until unsubscribed",
        Anchor.SESSION_ENDED: "until the browser session ends",
        Anchor.VISITOR_LEFT: "until the visitor leaves the page",
        Anchor.ENTRY_ENDED: "until the data that they refer to is deleted, or the job is done",
    },
    either=(" or ", ", whichever comes first"),
    not_before={Anchor.CONTRACTS_ENDED: "but never before the contracts end"},
    statute="at least {period} from the end of the financial year ({law})",
    statutes={"OR 958f": "Art. 958f of the Swiss Code of Obligations"},
    lengthened="{period} for a Swiss company as long as a bank account is linked",
    deletion={
        (Deletion.SHRED, Deletion.DELETE): "destruction of the keys, then deletion",
        (Deletion.DELETE,): "deletion",
        (Deletion.DELETE, Deletion.ANONYMISE): "deletion or anonymisation",
    },
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    day="{} {} {}",
)
