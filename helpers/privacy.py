"""Personal data and secrets in text: found by their form, replaced by placeholders before training.

Form is not meaning: most names within a sentence are missed. data/privacy/card.md says what was measured.
"""

import re
from collections import Counter
from dataclasses import dataclass

import pandas as pd
from stdnum import iban, luhn
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale


@dataclass(frozen=True)
class Finding:
    """One piece of private text: `text[start:end]` of the text that was searched."""

    kind: str
    text: str
    start: int
    end: int


def find_private(text):
    """The private pieces of `text` as a list of Finding, in order of place, never overlapping.

    Kinds: SECRET, EMAIL, IBAN, NATIONAL_ID, CARD, PHONE, ADDRESS and NAME. Where two kinds claim the same
    characters, the one named first here wins, because its form is the more certain.
    """
    found = []
    for kind, pattern, is_valid in RULES:
        for match in pattern.finditer(text):
            start, end = match.span(pattern.groups)  # the pattern's only group, or else the whole match
            free = all(end <= other.start or other.end <= start for other in found)
            if free and is_valid(text[start:end]):
                found.append(Finding(kind, text[start:end], start, end))
    return sorted(found, key=lambda finding: finding.start)


def redact(text, pseudonyms=None):
    """`text` with a placeholder such as [EMAIL_1] in place of each finding.

    The same value has the same placeholder, also across texts that share one `pseudonyms` dictionary. The
    dictionary is filled here and holds the private values: keep it as safe as the texts, or throw it away.
    """
    pseudonyms = {} if pseudonyms is None else pseudonyms
    pieces, end = [], 0
    for finding in find_private(text):
        pieces += [text[end : finding.start], placeholder(finding, pseudonyms)]
        end = finding.end
    return "".join(pieces) + text[end:]


def redact_examples(examples):
    """Training examples without the private data that was found, and a DataFrame of the findings.

    The table has line (from 1), role, kind and text, so it holds the private values. Only `content` that is a
    string is searched, no list of parts and no tool call. The examples given stay as they are.
    """
    pseudonyms, clean, rows = {}, [], []
    for line, example in enumerate(examples, start=1):
        messages = []
        for message in example["messages"]:
            content = message.get("content")
            if isinstance(content, str):
                rows += [(line, message["role"], found.kind, found.text) for found in find_private(content)]
                message = message | {"content": redact(content, pseudonyms)}
            messages.append(message)
        clean.append(example | {"messages": messages})
    return clean, pd.DataFrame(rows, columns=["line", "role", "kind", "text"])


def placeholder(finding, pseudonyms):
    """The finding's name in `pseudonyms`; a new value gets the next number of its kind."""
    written_with_signs = finding.kind in ("EMAIL", "SECRET")  # there a dash is part of the value
    value = " ".join(finding.text.split()) if written_with_signs else re.sub(r"[\W_]", "", finding.text)
    key = finding.kind, value.casefold()
    if key not in pseudonyms:
        number = Counter(kind for kind, _ in pseudonyms)[finding.kind] + 1
        pseudonyms[key] = f"[{finding.kind}_{number}]"
    return pseudonyms[key]


def rule(kind, pattern, is_valid=lambda _: True):
    """One row of RULES: the pattern's only group, if it has one, is the private part."""
    return kind, re.compile(pattern, re.MULTILINE), is_valid


def fits(*kinds):
    """A function that says whether the check digits of a number are right for one of stdnum's `kinds`."""
    return lambda number: any(kind.is_valid(re.sub(r"[\W_]", "", number)) for kind in kinds)


# How long an IBAN is, blanks not counted; source: the SWIFT IBAN registry.
IBAN_LENGTHS = {
    **{15: "NO", 16: "BE", 18: "DK|FI|NL", 19: "SI", 20: "AT|EE|LT|LU", 21: "CH|HR|LI|LV", 22: "BG|DE|GB|IE"},
    **{24: "CZ|ES|RO|SE|SK", 25: "PT", 26: "IS|TR", 27: "FR|GR|IT", 28: "CY|HU|PL", 31: "MT"},
}
# Words that stand where a name could: "my name is on the box", "I am Really Angry", "10 miles down the road".
NO_NAME = (
    r"(?!(?i:a|along|an|and|at|but|down|for|from|here|i|in|is|it|just|my|not|now|of|on|or|order|per|please|pls|"
    r"really|so|speaking|spelled|still|thanks|that|the|this|to|too|up|very|with|wrong|you|your)\b)"
)
CAPITAL = rf"{NO_NAME}[A-ZÀ-ÖØ-Þ](?:\.|(?:[\w-]|['’](?!s\b))+)"  # or an initial; without a possessive s
MORE = rf"(?: (?:(?:van|von|de|der|den|da|di|du|la|le) )*{CAPITAL})"
NAME = rf"{CAPITAL}{MORE}{{0,3}}"
LOWER = rf"{NO_NAME}[^\W\d_][\w'’-]+(?: {NO_NAME}[^\W\d_][\w'’-]+)?"
CLOSING = "(?i:regards|wishes|sincerely|yours|grüßen?|cordialement|cheers|thanks)"
HOUSE = r"\b\d{1,5}[a-zA-Z]?"
STREET = "(?i:street|st|road|rd|avenue|ave|lane|ln|boulevard|blvd)"
CAPITAL_STREET = "(?:Drive|Close|Court|Ct|Way|Terrace|Place|Square|Crescent|Gardens|Row|Hill)"  # else words
GERMAN_STREET = r"(?:straße|strasse|str\.?|weg|platz|allee|gasse|laan|straat)"
OF = r"(?: (?:de la|de|des|du|del|della|do|da|la))? (?:[dl]['’])?[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+)?"
PASSWORD = r"(?i:\b(?:pass|password|passwd|pwd|passwort|mot de passe|contraseña|api[_ -]?key|secret|pin)\b)"
LOCAL = r"(?<![\w.+%-])[\w.+%-]+"  # before the @
AT, DOT = r"\s?[(\[]\s?at\s?[)\]]\s?", r"(?:\.|\s?[(\[]\s?dot\s?[)\]]\s?)"
NINO = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d\d ?){3}[A-D]"
# Of the USA: no part is all zeros, the first is not 666 or 9xx. (stdnum would also refuse known specimens.)
SSN = r"(?!000|666|9)\d{3}[ -](?!00)\d\d[ -](?!0000)\d{4}"
SSN_DIGITS = SSN.replace("[ -]", "")
CARD = r"(?:4(?:[ .-]?\d){12}|3(?:[ .-]?\d){13,14}?|[2-6](?:[ .-]?\d){15,18}?)"  # lazy: a date may follow
DATE = r"(?:\d\d?[./-]){2}(?:19|20)?\d\d(?![\d./-])"
IN_USA = r"(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]{0,2}\d{3}[ .-]\d{4}(?: (?:ext\.?|x) ?\d{1,5})?"
CALL = r"(?i:\b(?:phone|tel|mobile|cell|call|ring|text|whatsapp)\b[^\w\n]{0,3}(?:(?:me|on|at|is) )*)"
IBANS = "|".join(rf"(?:{lands})\d\d(?:[ -]?[A-Z0-9]){{{n - 4}}}" for n, lands in IBAN_LENGTHS.items())

RULES = [  # the first rule that claims a place has it
    rule("SECRET", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*KEY-----|\Z)"),
    rule("SECRET", r"\b(?:sk-[\w-]{20,}|A[KS]IA[0-9A-Z]{16}\b|gh[opsur]_\w{36,}|github_pat_\w{22,})"),
    rule("SECRET", r"\beyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]+"),  # a JSON Web Token: {" in base 64
    rule("SECRET", r"(?i:\bbearer)\s+([\w.~+/-]{16,}=*)"),
    rule("SECRET", rf"{PASSWORD}(?:[\"']?\s*[:=]\s*[\"']?|\s+\")(?!\[)([^\s\"',;]{{4,}})"),
    rule("SECRET", rf"{PASSWORD}\s+is:?\s+[\"']?(?!\[)(?=\S*[\d!#$%&*])([^\s\"',;]{{4,}})"),
    rule("EMAIL", rf"(?i){LOCAL}(?:@|{AT})[\w-]+(?:{DOT}[\w-]+)*{DOT}[^\W\d_]{{2,}}"),
    rule("EMAIL", rf"(?i){LOCAL}(?: (?:dot|underscore|dash) \w+)* at [\w-]+(?: dot [a-z]+)+"),
    rule("IBAN", rf"(?i)(?<!\w)(?:{IBANS})(?!\w)", fits(iban)),
    rule("NATIONAL_ID", rf"(?<![\w-]){SSN}(?![\w-])"),
    rule(
        "NATIONAL_ID", rf"(?i:\b(?:ssn|social(?: security)?)\b)[^\d\n]{{0,12}}({SSN.replace('[ -]', '')})\b"
    ),
    rule("NATIONAL_ID", rf"(?i)\b{NINO}\b"),
    rule("NATIONAL_ID", r"(?i)\b[A-Z]{6}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z]\b", fits(codicefiscale)),
    rule("NATIONAL_ID", r"(?<![\w-])[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?![\w-])", fits(idnr)),
    rule("NATIONAL_ID", r"(?i)\b(?:\d{8}|\d\d\.\d{3}\.\d{3}|[XYZ]-?\d{7})-?[A-Z]\b", fits(dni, nie)),
    rule("NATIONAL_ID", r"(?i)\b[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d\b", fits(nir)),
    rule("CARD", rf"(?<![\w.-]){CARD}(?![\w-])", fits(luhn)),
    rule("PHONE", r"(?<![\w.])(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){7,13}(?!\w)"),
    rule("PHONE", rf"(?<![\w.-]){IN_USA}(?!\w)"),
    rule("PHONE", rf"(?<![\w./-])(?!{DATE})\(?0[1-9](?:[ ()./-]{{0,2}}\d){{7,10}}(?![\w-])"),
    rule("PHONE", rf"{CALL}(\d(?:[ ./-]?\d){{6,11}})(?!\w)"),
    rule("ADDRESS", rf"{HOUSE} (?:{NO_NAME}[\w'’-]+\.? ){{1,3}}{STREET}(?![\w-])"),
    rule("ADDRESS", rf"{HOUSE} (?:{CAPITAL} ){{1,3}}{CAPITAL_STREET}(?![\w-])"),
    rule("ADDRESS", rf"(?i)\b(?:(?:am|im|an der|zum) )?[\w-]{{3,}}{GERMAN_STREET} \d{{1,4}}[a-z]?\b"),
    rule("ADDRESS", rf"{HOUSE}(?: bis| ter)?,? (?i:rue|avenue|boulevard|place|chemin|quai){OF}"),
    rule("ADDRESS", rf"\b(?i:via|viale|piazza|corso|calle|avenida|plaza|rua|ul\.){OF},? \d{{1,4}}\b"),
    rule("NAME", rf"(?i:\bmy name(?: is|['’]s)|(?:^|, |my |full )name:) ({NAME}|{LOWER})"),
    rule("NAME", rf"(?i:\bthis is) ({NAME}|{LOWER}) speaking"),
    rule("NAME", rf"(?i:\bI am|\bI['’]m) ({CAPITAL}{MORE}{{1,3}})"),
    rule("NAME", rf"(?i:\b(?:hi|hello|hey)),? ({NAME}) here\b"),
    rule("NAME", rf"\b{CLOSING}[,\n]\s*({NAME})\s*$"),
    rule("NAME", rf"(?i:\b(?:regards|sincerely)),\s*({LOWER})\.?\s*$"),
    rule("NAME", rf"\b(?i:mrs?|ms|mx|dr|prof|mme|herr|frau|signora?|señora?)\.? ({CAPITAL}{MORE}?)"),
    rule("NAME", rf"(?i:\b(?:mrs?|dr))\.? ({NO_NAME}[^\W\d_][\w'’-]+)"),
]
