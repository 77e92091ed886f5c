"""Check digits: which numbers can be a card, an account or a person's number, and which cannot.

Each function takes the number as it was written and says True or False; blanks and signs do not count.
"""

import re

# How long an IBAN is: countries by number of characters; source: the SWIFT IBAN registry.
COUNTRIES_BY_LENGTH = {
    **{15: "NO", 16: "BE", 18: "DK FI NL", 19: "SI", 20: "AT EE LT LU", 21: "CH HR LI LV", 22: "BG DE GB IE"},
    **{24: "CZ ES RO SE SK", 25: "PT", 26: "IS TR", 27: "FR GR IT", 28: "CY HU PL", 31: "MT"},
}
IBAN_LENGTHS = {land: n for n, lands in COUNTRIES_BY_LENGTH.items() for land in lands.split()}
# What a character at an odd place of the codice fiscale counts; source: the decree DM 23/12/1976 (Italy).
ODD_VALUES = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
ODD_VALUES |= dict(zip("ABCDEFGHIJ", ODD_VALUES.values(), strict=True))
ODD_VALUES |= dict(
    zip("KLMNOPQRSTUVWXYZ", (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23), strict=True)
)


def compact(number):
    """The letters, in capitals, and the digits of `number`."""
    return re.sub(r"[\W_]", "", number).upper()


def luhn(number):
    """Whether the last digit of a card number fits (ISO/IEC 7812): every second digit is doubled."""
    digits = [int(digit) for digit in reversed(compact(number))]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def iban(number):
    """Whether length and check digits of an IBAN fit (ISO 13616): read as one number, it leaves 1 by 97."""
    number = compact(number)
    moved = number[4:] + number[:4]
    as_digits = "".join(str(int(character, 36)) for character in moved)
    return len(number) == IBAN_LENGTHS.get(number[:2]) and int(as_digits) % 97 == 1


def ssn(number):
    """Whether a US social security number can exist: no part is all zeros, the area is not 666 or 9xx."""
    number = compact(number)
    area, group, serial = number[:3], number[3:5], number[5:]
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


def codice_fiscale(number):
    """Whether the last letter of an Italian codice fiscale fits."""
    number = compact(number)
    odd = sum(ODD_VALUES[character] for character in number[:15:2])
    even = sum(int(c) if c.isdigit() else ord(c) - ord("A") for c in number[1:15:2])
    return chr(ord("A") + (odd + even) % 26) == number[-1]


def steuer_id(number):
    """Whether the last digit of a German Steuer-ID fits (ISO 7064, MOD 11,10), and its form.

    Of the first ten digits exactly one occurs twice or three times.
    """
    digits = [int(digit) for digit in compact(number)]
    product = 10
    for digit in digits[:-1]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    repeated = [n for n in (digits[:-1].count(digit) for digit in set(digits[:-1])) if n > 1]
    return repeated in ([2], [3]) and (11 - product) % 10 == digits[-1]


def dni(number):
    """Whether the letter of a Spanish DNI or NIE fits: the rest of the number divided by 23."""
    number = compact(number)
    digits = number[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


def nir(number):
    """Whether the key of a French NIR fits: 97 minus the rest of the number divided by 97."""
    number = compact(number).replace("2A", "19").replace("2B", "18")  # Corsica
    return number.isdigit() and 97 - int(number[:13]) % 97 == int(number[13:])
