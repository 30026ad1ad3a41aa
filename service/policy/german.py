"""German, as it is written in Switzerland."""

from mandant.service.policy.words import Words
from mandant.tenants.retention import POLICY, Anchor, Deletion
from mandant.vault.category import Category

__all__ = ["GERMAN"]

GERMAN = Words(
    language="de-CH",
    title="Aufbewahrung und Löschung",
    as_of="Fassung vom {}",
    before=(
        "Wir bewahren Daten so lange auf, wie es die folgende Übersicht vorsieht. Ohne Ihr Zutun wird "
        "nichts vor Ablauf seiner Frist gelöscht, und nach Ablauf bleibt nichts bestehen, ausser in den "
        "unten genannten Fällen.",
    ),
    heads=("Datenkategorie", "Inhalt", "Aufbewahrung", "Nach Ablauf"),
    cookies="Cookies",
    cookie_heads=("Art", "Gültigkeit"),
    cookie_at_most="höchstens {period}",
    behind=(
        "Eine nach Monaten bestimmte Frist endet an dem Tag, der durch seine Zahl dem Tag ihres Beginns "
        "entspricht; fehlt dieser Tag, so endet sie am letzten Tag des Monats (Art. 77 OR). Massgebend ist "
        "die Zeitzone Ihres Unternehmens. Die Löschung beginnt mit dem Anfang des folgenden Tages.",
        "Verlangt das Gesetz eine längere Aufbewahrung, oder werden Daten für ein Verfahren benötigt, so "
        "tritt an die Stelle der Löschung die Sperrung: Die Daten bleiben verschlüsselt, und nur die dafür "
        "verantwortliche Person kann sie einsehen. Fällt der Grund weg, so werden sie gelöscht.",
        "Ändern sich diese Fristen, so erhält die Übersicht eine neue Fassung mit Datum, die wir Ihnen "
        "rechtzeitig mitteilen. Eine laufende Frist wird nicht verkürzt, ohne dass wir ausdrücklich darauf "
        "hinweisen.",
    ),
    names={rule.category: rule.german for rule in POLICY.rules},
    contents={
        Category.CONTRACT: "Zahlungen, Mahnwesen, Inkasso, Vertragsbedingungen und erbrachte Leistungen",
        Category.TECHNICAL: "IP-Adresse, Gerät, Gerätekennung, Protokoll der Handlungen von Benutzern",
        Category.REGISTRATION: "Benutzername, Hashwert des Passworts, Namen und E-Mail-Adresse; Firma, "
        "Domain, Rolle und Funktion, Anzahl Mitarbeitende",
        Category.MODULE: "alles, was Sie eingeben, importieren, hochladen, über Schnittstellen empfangen "
        "oder mit der Software erzeugen",
        Category.BANK: "Kontodaten, IBAN, Saldo, Transaktionen",
        Category.BANK_LOG: "Kurzname der Datenbank, BIC der Bank, technischer Schritt, Datum und Uhrzeit",
        Category.COMMUNICATION: "Anfragen, Formulare, Chat, E-Mails, Gesprächsnotizen, Identitätsnachweise, "
        "Aufzeichnungen",
        Category.BEHAVIOUR: "Auswertung der Nutzung",
        Category.NEWSLETTER: "E-Mail-Adresse, Nachweis der Einwilligung",
        Category.SERVER_LOG: "Zeitpunkt, Hostname, verweisende Seite, IP-Adresse, Gerät, Betriebssystem, "
        "Browser und dessen Version",
        Category.ACCOUNTABILITY: "Nachweis der Zugriffe auf Ihre Daten und ihrer Löschung",
        Category.DIRECTORY: "verschlüsselte Kennzeichen für Anmeldung, Sitzung und Einladung, technische "
        "Aufträge ohne Inhalt",
    },
    parts={
        "leaving member": "davon: Daten einer Person, die ein Unternehmen verlässt",
        "access token": "davon: Zugangstoken der Bankschnittstelle",
        "visitor's IP address": "davon: IP-Adresse von Besuchern des Bestellassistenten",
        "necessary": "notwendige Cookies",
        "performance": "Leistungs-Cookies",
        "tracking": "Tracking-Cookies",
        "session": "Sitzungs-Cookies",
    },
    units={"day": ("Tag", "Tage"), "month": ("Monat", "Monate"), "year": ("Jahr", "Jahre")},
    after={
        Anchor.CREATED: "{period} ab der Erhebung",
        Anchor.CONTRACTS_ENDED: "während der Vertragsdauer und {period} nach Beendigung sämtlicher Verträge",
        Anchor.LAST_CONTRACT_ACTIVITY: "{period} nach der letzten Vertragsaktivität",
        Anchor.ACCOUNT_TERMINATED: "{period} nach Kündigung des Kontos",
        Anchor.MEMBERSHIP_ENDED: "{period} nach ihrem Ausscheiden aus dem letzten Unternehmen",
        Anchor.PURGED: "{period} nach der Löschung der Daten Ihres Unternehmens",
    },
    until={
        Anchor.CONSENT_ENDED: "bis zum Ende der Zustimmung bei der Bank",
        Anchor.CONTRACTS_ENDED: "bis zur Beendigung sämtlicher Verträge",
        Anchor.UNSUBSCRIBED: "bis zur Abmeldung",
        Anchor.SESSION_ENDED: "bis zum Ende der Browsersitzung",
        Anchor.VISITOR_LEFT: "bis zum Verlassen der Seite",
        Anchor.ENTRY_ENDED: "bis die Daten, auf die sie verweisen, gelöscht sind oder der Auftrag erledigt "
        "ist",
    },
    either=(" oder ", ", je nachdem, was früher eintritt"),
    not_before={Anchor.CONTRACTS_ENDED: "nicht aber vor Beendigung der Verträge"},
    statute="mindestens {period} ab dem Ende des Geschäftsjahres ({law})",
    statutes={"OR 958f": "Art. 958f OR"},
    lengthened="{period} bei einem Schweizer Unternehmen, solange ein Bankkonto verknüpft ist",
    deletion={
        (Deletion.SHRED, Deletion.DELETE): "Vernichtung der Schlüssel, dann Löschung",
        (Deletion.DELETE,): "Löschung",
        (Deletion.DELETE, Deletion.ANONYMISE): "Löschung oder Anonymisierung",
    },
    months=(
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
    day="{}. {} {}",
)
