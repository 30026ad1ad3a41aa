"""French, as it is written in Switzerland."""

from mandant.service.policy.words import Words
from mandant.tenants.retention import Anchor, Deletion
from mandant.vault.category import Category

__all__ = ["FRENCH"]

FRENCH = Words(
    language="fr-CH",
    title="Conservation et effacement des données",
    as_of="Version du {}",
    before=(
        "Nous conservons les données pendant les durées indiquées ci-dessous. À moins que vous "
        "ne les effaciez ou n’en demandiez l’effacement, rien n’est effacé avant l’échéance de son délai, "
        "et rien n’est conservé au-delà, sauf dans les cas mentionnés plus bas.",
    ),
    heads=("Catégorie de données", "Contenu", "Durée de conservation", "À l’échéance"),
    cookies="Cookies",
    cookie_heads=("Type", "Durée de validité"),
    cookie_at_most="{period} au plus",
    behind=(
        "Un délai fixé en mois expire le jour qui, par son quantième, correspond à celui où il a commencé à "
        "courir; à défaut d’un tel jour, il expire le dernier jour du mois (art. 77 CO). Le fuseau horaire "
        "de votre entreprise est déterminant. L’effacement commence au début du jour suivant.",
        "Si la loi impose une conservation plus longue ou si des données sont nécessaires à une procédure, "
        "l’effacement est remplacé par le blocage (limitation du traitement). Les données restent chiffrées "
        "et seule la personne responsable de cette mesure peut les consulter. Elles sont effacées dès que "
        "le motif disparaît.",
        "Si ces délais changent, le présent aperçu fait l’objet d’une nouvelle version datée, que nous vous "
        "communiquons en temps utile. Un délai en cours n’est pas abrégé sans que nous le signalions "
        "expressément.",
    ),
    names={
        Category.CONTRACT: "Données contractuelles",
        Category.TECHNICAL: "Données techniques",
        Category.REGISTRATION: "Données relatives aux utilisateurs et à l’entreprise",
        Category.MODULE: "Données des modules",
        Category.BANK: "Données bancaires",
        Category.BANK_LOG: "Journal de l’interface bancaire",
        Category.COMMUNICATION: "Données de communication et d’assistance",
        Category.BEHAVIOUR: "Données relatives aux préférences et au comportement",
        Category.NEWSLETTER: "Lettre d’information",
        Category.SERVER_LOG: "Journaux des serveurs",
        Category.ACCOUNTABILITY: "Données attestant le respect de nos obligations",
        Category.DIRECTORY: "Données de répertoire et de tâches",
    },
    contents={
        Category.CONTRACT: "paiements, rappels, recouvrement, conditions contractuelles et prestations "
        "fournies",
        Category.TECHNICAL: "adresse IP, appareil, identifiant de l’appareil, journal des actions des "
        "utilisateurs",
        Category.REGISTRATION: "nom d’utilisateur, empreinte du mot de passe, noms et adresse électronique; "
        "raison sociale, domaine, rôle et fonction, effectif",
        Category.MODULE: "tout ce que vous saisissez, importez, téléversez, recevez par des interfaces ou "
        "produisez avec le logiciel",
        Category.BANK: "données de compte, IBAN, solde, transactions",
        Category.BANK_LOG: "nom abrégé de la base de données, BIC de la banque, étape technique, date et "
        "heure",
        Category.COMMUNICATION: "demandes, formulaires, messagerie instantanée, courriels, notes "
        "d’entretien, preuves d’identité, enregistrements",
        Category.BEHAVIOUR: "analyse de l’utilisation",
        Category.NEWSLETTER: "adresse électronique, preuve du consentement",
        Category.SERVER_LOG: "date et heure, nom d’hôte, page de provenance, adresse IP, appareil, système "
        "d’exploitation, navigateur et sa version",
        Category.ACCOUNTABILITY: "preuve des accès à vos données et de leur effacement",
        Category.DIRECTORY: "identifiants chiffrés servant à la connexion, à la session et à l’invitation, "
        "tâches techniques sans contenu",
    },
    parts={
        "leaving member": "dont les données d’une personne qui quitte une entreprise",
        "access token": "dont les jetons d’accès à la banque",
        "visitor's IP address": "dont l’adresse IP des visiteurs de l’assistant de commande",
        "necessary": "cookies nécessaires",
        "performance": "cookies de performance",
        "tracking": "cookies de suivi",
        "session": "cookies de session",
    },
    units={"day": ("jour", "jours"), "month": ("mois", "mois"), "year": ("an", "ans")},
    after={
        Anchor.CREATED: "{period} à compter de la collecte",
        Anchor.CONTRACTS_ENDED: "pendant la durée du contrat et {period} après la fin de tous les contrats",
        Anchor.LAST_CONTRACT_ACTIVITY: "{period} après la dernière activité contractuelle",
        Anchor.ACCOUNT_TERMINATED: "{period} après la résiliation du compte",
        Anchor.MEMBERSHIP_ENDED: "{period} après qu’elle a quitté sa dernière entreprise",
        Anchor.PURGED: "{period} après l’effacement des données de votre entreprise",
    },
    until={
        Anchor.CONSENT_ENDED: "jusqu’à la fin du consentement donné à la banque",
        Anchor.CONTRACTS_ENDED: "jusqu’à la fin de tous les contrats",
        Anchor.UNSUBSCRIBED: "jusqu’à la désinscription",
        Anchor.SESSION_ENDED: "jusqu’à la fin de la session du navigateur",
        Anchor.VISITOR_LEFT: "jusqu’au départ du visiteur",
        Anchor.ENTRY_ENDED: "jusqu’à l’effacement des données auxquelles elles renvoient ou à l’exécution "
        "de la tâche",
    },
    either=(" ou ", ", selon ce qui survient en premier"),
    not_before={Anchor.CONTRACTS_ENDED: "mais jamais avant la fin des contrats"},
    statute="au moins {period} à compter de la fin de l’exercice ({law})",
    statutes={"OR 958f": "art. 958f CO"},
    lengthened="{period} pour une entreprise suisse tant qu’un compte bancaire est relié",
    deletion={
        (Deletion.SHRED, Deletion.DELETE): "destruction des clés, puis effacement",
        (Deletion.DELETE,): "effacement",
        (Deletion.DELETE, Deletion.ANONYMISE): "effacement ou anonymisation",
    },
    months=(
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    day="{} {} {}",
)
