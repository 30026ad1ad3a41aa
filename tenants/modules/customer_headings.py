"""Column headings that mean a field of a customer: Outlook's, Google's, Excel's in German, French, English.

Case, accents, punctuation and the order of words do not count: `Ort geschäftlich` is `Geschäftlich Ort`.
The names of a vCard's columns are those of importing/vcard.py.
"""

from __future__ import annotations

HEADINGS: dict[str, tuple[str, ...]] = {
    "~full_name": (
        "Name", "Full Name", "Display Name", "File As", "FN", "Nom complet", "Nom et prénom",
        "Vollständiger Name",
        "Anzeigename", "Name Vorname", "Vor- und Nachname", "Contact", "Kontakt", "Kunde", "Client",
    ),
    "kind": ("Kind", "Kundenart", "Kundentyp", "Type de client", "Customer Type", "Art"),
    "number": (
        "Number", "Customer Number", "Customer No", "Client Number", "Kundennummer", "Kunden-Nr.",
        "Kundennr",
        "KdNr", "Kd.-Nr.", "Debitorennummer", "Numéro client", "N° client", "No client",
        "Numéro de client",
    ),
    "salutation": ("Salutation", "Anrede", "Civilité", "Titre", "Title", "Name Prefix", "N prefix"),
    "title": ("Academic Title", "Akademischer Titel", "Titel", "Titre académique"),
    "first_name": (
        "First Name", "Given Name", "Vorname", "Prénom", "Middle Name", "Additional Name",
        "Weitere Vornamen",
        "Deuxième prénom", "Firstname", "N given", "N additional",
    ),
    "last_name": (
        "Last Name", "Family Name", "Surname", "Nachname", "Familienname", "Nom", "Nom de famille",
        "Lastname",
        "N family",
    ),
    "company": (
        "Company", "Company Name", "Organization Name", "Organization {n} - Name", "Organisation",
        "Firma",
        "Firmenname", "Unternehmen", "Société", "Entreprise", "Raison sociale", "ORG",
    ),
    "department": (
        "Department", "Organization Department", "Organization {n} - Department", "Abteilung",
        "Service",
        "Département", "ORG unit",
    ),
    "position": (
        "Job Title", "Organization Title", "Organization {n} - Title", "Position", "Funktion",
        "Beruf", "Fonction",
        "Profession", "Poste", "TITLE 1", "Stellung",
    ),
    # one address without a kind
    "addresses[home].street": (
        "Street", "Strasse", "Straße", "Adresse", "Address", "Rue", "Strasse und Nr.", "Strasse Nr",
        "Anschrift",
        "Home Street", "Home Address Street", "Straße privat", "Strasse Privat", "Privat Strasse",
        "Rue (domicile)",
        "Rue domicile", "Adresse privée", "Privatadresse",
    ),
    "addresses[home].extra": (
        "Address 2", "Adresse 2", "Adresszusatz", "Zusatz", "Complément d'adresse", "Home Street 2",
        "Straße privat 2", "Rue (domicile) 2", "Postfach", "Case postale", "PO Box",
        "Home Address PO Box",
        "Postfach privat", "c/o",
    ),
    "addresses[home].postcode": (
        "Postcode", "Postal Code", "ZIP", "Zip Code", "PLZ", "Postleitzahl", "Code postal", "NPA", "CP",
        "Home Postal Code", "Postleitzahl privat", "PLZ privat", "Code postal (domicile)",
    ),
    "addresses[home].city": (
        "City", "Town", "Ort", "Ortschaft", "Stadt", "Wohnort", "Ville", "Localité", "Lieu",
        "Home City",
        "Ort privat", "Ville (domicile)",
    ),
    "addresses[home].region": (
        "Region", "State", "Canton", "Kanton", "Bundesland", "Home State", "Region privat",
        "Bundesland/Kanton privat", "Dép/Région (domicile)", "Région",
    ),
    "addresses[home].country": (
        "Country", "Land", "Pays", "Country/Region", "Land/Region", "Pays/Région",
        "Home Country/Region",
        "Home Country", "Land/Region privat", "Land privat", "Pays/Région (domicile)", "Ländercode",
    ),
    "addresses[work].street": (
        "Business Street", "Work Street", "Straße geschäftlich", "Strasse Geschäft", "Rue (bureau)",
        "Rue bureau", "Geschäftsadresse", "Adresse professionnelle", "Firmenadresse",
    ),
    "addresses[work].extra": (
        "Business Street 2", "Straße geschäftlich 2", "Rue (bureau) 2", "Business Address PO Box",
        "Postfach geschäftlich",
    ),
    "addresses[work].postcode": (
        "Business Postal Code", "Work Postal Code", "Postleitzahl geschäftlich", "PLZ geschäftlich",
        "Code postal (bureau)", "PLZ Geschäft",
    ),
    "addresses[work].city": (
        "Business City", "Work City", "Ort geschäftlich", "Ort Geschäft", "Ville (bureau)",
    ),
    "addresses[work].region": (
        "Business State", "Region geschäftlich", "Bundesland/Kanton geschäftlich",
        "Dép/Région (bureau)",
    ),
    "addresses[work].country": (
        "Business Country/Region", "Business Country", "Land/Region geschäftlich", "Land geschäftlich",
        "Pays/Région (bureau)",
    ),
    "addresses[other].street": ("Other Street", "Weitere Straße", "Rue (autre)"),
    "addresses[other].postcode": ("Other Postal Code", "Weitere Postleitzahl", "Code postal (autre)"),
    "addresses[other].city": ("Other City", "Weiterer Ort", "Ville (autre)"),
    "addresses[other].country": (
        "Other Country/Region", "Weiteres/e Land/Region", "Weiteres Land/Region", "Pays/Région (autre)",
    ),
    "addresses[billing].street": ("Billing Street", "Rechnungsadresse", "Adresse de facturation"),
    "addresses[delivery].street": ("Delivery Street", "Lieferadresse", "Adresse de livraison"),
    # Google and vCard number them
    "addresses[{n}].kind": ("Address {n} - Type", "Address {n} - Label", "ADR {n} TYPE"),
    "addresses[{n}].street": ("Address {n} - Street", "ADR {n} street"),
    "addresses[{n}].extra": ("Address {n} - Extended Address", "Address {n} - PO Box", "ADR {n} extra"),
    "addresses[{n}].postcode": ("Address {n} - Postal Code", "ADR {n} postcode"),
    "addresses[{n}].city": ("Address {n} - City", "ADR {n} city"),
    "addresses[{n}].region": ("Address {n} - Region", "ADR {n} region"),
    "addresses[{n}].country": ("Address {n} - Country", "ADR {n} country"),
    "emails[1].address": (
        "E-mail", "Email", "Mail", "E-mail Address", "Email Address", "E-Mail-Adresse", "Mailadresse",
        "Courriel",
        "Adresse e-mail", "Adresse mail", "Adresse de messagerie", "Adresse électronique", "E-Mail 1",
    ),
    "emails[home].address": (
        "E-Mail privat", "Home Email", "E-mail privé", "Personal Email", "Courriel privé",
    ),
    "emails[work].address": (
        "E-Mail geschäftlich", "Work Email", "Business Email", "E-mail professionnel",
        "E-Mail Geschäft",
    ),
    "emails[{n}].address": (
        "E-mail {n} - Value", "E-mail {n} Address", "E-Mail {n}: Adresse", "E-Mail-Adresse {n}",
        "E-Mail {n}",
        "Adresse de messagerie {n}", "Courriel {n}", "EMAIL {n}",
    ),
    "emails[{n}].kind": ("E-mail {n} - Type", "E-mail {n} - Label", "EMAIL {n} TYPE"),
    "phones[home].number": (
        "Home Phone", "Telefon privat", "Tel. privat", "Tel P", "Téléphone (domicile)",
        "Téléphone privé",
        "Tél. privé", "Telefon", "Tel", "Tel.", "Phone", "Phone Number", "Telephone", "Téléphone",
        "Tél.",
        "Telefonnummer", "Numéro de téléphone", "Primary Phone", "Haupttelefon",
    ),
    "phones[home2].number": ("Home Phone 2", "Telefon privat 2", "Téléphone 2 (domicile)"),
    "phones[work].number": (
        "Business Phone", "Work Phone", "Telefon geschäftlich", "Tel. Geschäft", "Tel G",
        "Telefon Geschäft",
        "Téléphone (bureau)", "Téléphone professionnel", "Tél. prof.", "Telefon Firma",
    ),
    "phones[work2].number": (
        "Business Phone 2", "Telefon geschäftlich 2", "Téléphone 2 (bureau)", "Company Main Phone",
    ),
    "phones[mobile].number": (
        "Mobile Phone", "Mobile", "Mobiltelefon", "Handy", "Natel", "Mobil", "Tél. mobile",
        "Téléphone mobile",
        "Portable", "Natel privat", "Cell Phone", "Mobilnummer",
    ),
    "phones[fax].number": (
        "Business Fax", "Fax", "Fax geschäftlich", "Télécopie (bureau)", "Télécopie", "Fax Number",
        "Faxnummer",
    ),
    "phones[fax2].number": ("Home Fax", "Fax privat", "Télécopie (domicile)"),
    "phones[other].number": ("Other Phone", "Weiteres Telefon", "Téléphone (autre)"),
    "phones[{n}].number": ("Phone {n} - Value", "Telefon {n}", "Téléphone {n}", "Phone {n}", "TEL {n}"),
    "phones[{n}].kind": ("Phone {n} - Type", "Phone {n} - Label", "TEL {n} TYPE"),
    "birthday": (
        "Birthday", "Birth Date", "Date of Birth", "Geburtstag", "Geburtsdatum", "Anniversaire",
        "Date de naissance", "BDAY",
    ),
    "language": ("Language", "Sprache", "Korrespondenzsprache", "Langue", "LANG"),
    "website": (
        "Website", "Web Page", "Website {n} - Value", "Webseite", "Homepage", "Internet", "Page Web",
        "Site web",
        "Site internet", "URL",
    ),
    "ibans": ("IBAN", "Bankverbindung", "Konto IBAN", "Compte IBAN"),
    "tags": (
        "Tags", "Categories", "Kategorien", "Catégories", "Labels", "Group Membership", "Schlagworte",
        "Stichworte", "Mots-clés", "Keywords", "CATEGORIES",
    ),
    "notes": (
        "Notes", "Note", "Notizen", "Notiz", "Bemerkung", "Bemerkungen", "Remarque", "Remarques",
        "Comment",
        "Comments", "Kommentar", "Commentaire", "NOTE",
    ),
}  # fmt: skip
