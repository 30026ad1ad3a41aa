"""Names of countries and languages in German, French and English to their ISO codes."""

from __future__ import annotations

from mandant.vault import normalise

# ISO 3166-1 alpha-2, all assigned codes.
_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())

_NAMES = """
CH Schweiz|Suisse|Switzerland|Svizzera|Svizra|CHE|SUI
LI Liechtenstein|Fürstentum Liechtenstein|LIE|FL
DE Deutschland|Allemagne|Germany|Germania|DEU|GER|D
AT Österreich|Oesterreich|Autriche|Austria|AUT|A
FR Frankreich|France|Francia|FRA|F
IT Italien|Italie|Italy|Italia|ITA|I
BE Belgien|Belgique|Belgium|België
NL Niederlande|Pays-Bas|Netherlands|The Netherlands|Holland|Nederland
LU Luxemburg|Luxembourg
GB Vereinigtes Königreich|Grossbritannien|England|Royaume-Uni|Grande-Bretagne|United Kingdom|Great Britain|UK
IE Irland|Irlande|Ireland
ES Spanien|Espagne|Spain|España
PT Portugal
DK Dänemark|Danemark|Denmark
SE Schweden|Suède|Sweden
NO Norwegen|Norvège|Norway
FI Finnland|Finlande|Finland
IS Island|Islande|Iceland
PL Polen|Pologne|Poland
CZ Tschechien|Tschechische Republik|Tchéquie|République tchèque|Czechia|Czech Republic
SK Slowakei|Slovaquie|Slovakia
HU Ungarn|Hongrie|Hungary
SI Slowenien|Slovénie|Slovenia
HR Kroatien|Croatie|Croatia
RS Serbien|Serbie|Serbia
BA Bosnien und Herzegowina|Bosnie-Herzégovine|Bosnia and Herzegovina
ME Montenegro|Monténégro
MK Nordmazedonien|Macédoine du Nord|North Macedonia
AL Albanien|Albanie|Albania
XK Kosovo
GR Griechenland|Grèce|Greece
RO Rumänien|Roumanie|Romania
BG Bulgarien|Bulgarie|Bulgaria
EE Estland|Estonie|Estonia
LV Lettland|Lettonie|Latvia
LT Litauen|Lituanie|Lithuania
MT Malta|Malte
CY Zypern|Chypre|Cyprus
MC Monaco
AD Andorra|Andorre
SM San Marino|Saint-Marin
VA Vatikanstadt|Vatican|Vatican City
UA Ukraine
MD Moldau|Moldavie|Moldova
RU Russland|Russie|Russia
TR Türkei|Turquie|Turkey|Türkiye
US USA|Vereinigte Staaten|Vereinigte Staaten von Amerika|États-Unis|United States|United States of America
CA Kanada|Canada
MX Mexiko|Mexique|Mexico
BR Brasilien|Brésil|Brazil
AR Argentinien|Argentine|Argentina
CL Chile|Chili
CN China|Chine
JP Japan|Japon
KR Südkorea|Corée du Sud|South Korea
IN Indien|Inde|India
TH Thailand|Thaïlande
SG Singapur|Singapour|Singapore
AU Australien|Australie|Australia
NZ Neuseeland|Nouvelle-Zélande|New Zealand
ZA Südafrika|Afrique du Sud|South Africa
MA Marokko|Maroc|Morocco
TN Tunesien|Tunisie|Tunisia
DZ Algerien|Algérie|Algeria
EG Ägypten|Égypte|Egypt
IL Israel|Israël
AE Vereinigte Arabische Emirate|Émirats arabes unis|United Arab Emirates
"""

_LANGUAGES = """
de Deutsch|Allemand|German|Schweizerdeutsch
fr Französisch|Français|French
it Italienisch|Italien|Italian|Italiano
rm Rätoromanisch|Romanche|Romansh|Rumantsch
en Englisch|Anglais|English
es Spanisch|Espagnol|Spanish|Español
pt Portugiesisch|Portugais|Portuguese|Português
"""


def _table(lines: str) -> dict[str, str]:
    table = {}
    for line in lines.strip().splitlines():
        code, _, names = line.partition(" ")
        for name in names.split("|"):
            table[normalise.text(name) or ""] = code
    return table


_COUNTRY_BY_NAME = _table(_NAMES)
_LANGUAGE_BY_NAME = _table(_LANGUAGES)


def country(text: str) -> str:
    """ISO 3166-1 alpha-2. Raises: ValueError for a name that is in none of the three languages' tables."""
    plain = text.strip().rstrip(".")
    if code := _COUNTRY_BY_NAME.get(normalise.text(plain) or ""):
        return code
    if plain.upper() in COUNTRIES:
        return plain.upper()
    raise ValueError("is no country that is known here; write its code of two letters, such as CH")


def language(text: str) -> str:
    """ISO 639-1; `de-CH` gives `de`. Raises: ValueError for what is neither code nor known name."""
    plain = text.strip()
    if code := _LANGUAGE_BY_NAME.get(normalise.text(plain) or ""):
        return code
    base = plain.replace("_", "-").split("-")[0].lower()
    if len(base) == 2 and base.isascii() and base.isalpha():
        return base
    raise ValueError("is no language that is known here; write its code of two letters, such as de")
