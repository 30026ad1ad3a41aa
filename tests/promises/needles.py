"""Canaries: values nobody else would write, and every spelling in which a search must look for them.

All words of one `Canary` hold the same random core and all its numbers the same digits, so that a search for
two cores in some spellings finds any of them in hundreds of megabytes within seconds.
"""

import base64
import gzip
import hashlib
import mmap
import random
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Canary:
    """Makes values. `core`: 12 letters in each of its words; `number`: 9 digits in each of its numbers."""

    seed: int
    core: str = ""
    number: str = ""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.core = "".join(self._random.choices("bcdfghjklmnpqrstvwxz", k=12))
        self.number = "79" + "".join(self._random.choices("123456789", k=7))

    def word(self, kind: str = "") -> str:
        """Such as `Qxvbnmkjhgfd` + four letters of its own; `kind` makes a finding easier to read."""
        return f"{self.core.capitalize()}{kind}{''.join(self._random.choices(string.ascii_lowercase, k=4))}"

    def email(self) -> str:
        return f"{self.word('mail').lower()}@{self.word('host').lower()}.example"

    def digits(self, more: int = 5) -> str:
        return self.number + "".join(self._random.choices("123456789", k=more))

    def iban(self) -> str:
        """Swiss, with a check number that is right, in groups of four."""
        account = "00762" + self.digits(3)
        check = 98 - int(account + "121700") % 97
        made = f"CH{check:02}{account}"
        return " ".join(made[i : i + 4] for i in range(0, len(made), 4))

    def phone(self) -> str:
        return f"+41 {self.number[:2]} {self.number[2:5]} {self.number[5:7]} {self.number[7:]}"

    def spaced(self) -> tuple[str, str, str]:
        """The number as it stands in a text: whole, in an IBAN, in a phone number."""
        n = self.number
        return n, f"{n[:3]} {n[3:7]} {n[7:]}", self.phone().removeprefix("+41 ")


def spellings(value: str) -> dict[str, bytes]:
    """How a value may stand somewhere: name of the spelling -> bytes to look for."""
    plain = value.encode()
    found = {
        "as it is": plain,
        "lower": value.lower().encode(),
        "upper": value.upper().encode(),
        "capitalised": value.capitalize().encode(),
        "utf-16-le": value.lower().encode("utf-16-le"),
        "utf-16-be": value.lower().encode("utf-16-be"),
        "utf-16-le capitalised": value.capitalize().encode("utf-16-le"),
        "reversed": value[::-1].lower().encode(),
        "reversed capitalised": value.capitalize()[::-1].encode(),
        "hex": plain.hex().encode(),
        "hex upper": plain.hex().upper().encode(),
        "hex capitalised": value.capitalize().encode().hex().encode(),
        "rot13": value.lower().translate(_ROT13).encode(),
    }
    for name, variant in (("", value.lower()), (" capitalised", value.capitalize())):
        for shift in range(3):
            encoded = base64.b64encode(b"\0" * shift + variant.encode())
            # Letters at either end also depend on the neighbours: leave them out.
            found[f"base64 shifted {shift}{name}"] = encoded[shift + 1 if shift else 0 : -4]
    return found


def digests(value: str) -> dict[str, bytes]:
    """What a hash without a key makes of a value: whoever guesses it could check the guess."""
    found = {}
    for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s"):
        for spelled in {value, value.lower()}:
            # 16 bytes, as a shortened one would have
            found[f"{name} of {spelled}"] = hashlib.new(name, spelled.encode()).digest()[:16]
    return found


def needles(canary: Canary) -> dict[str, bytes]:
    """Everything to look for."""
    found = {f"core, {name}": needle for name, needle in spellings(canary.core).items()}
    for number in canary.spaced():
        for name in ("as it is", "utf-16-le", "hex", "reversed"):
            found[f"{number}, {name}"] = spellings(number)[name]
    return found


def files(folder: Path) -> Iterator[Path]:
    """Every regular file below a folder; what goes away meanwhile is passed over."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def found_in_files(paths: Iterable[Path], wanted: dict[str, bytes]) -> list[str]:
    """`path: spelling` for each finding; compressed files are looked into."""
    found = []
    for path in paths:
        try:
            with path.open("rb") as file:
                if not file.read(1):
                    continue
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    found += [f"{path}: {name}" for name in found_in(content, wanted)]
                    if content[:2] == b"\x1f\x8b":
                        found += [
                            f"{path}, unpacked: {name}"
                            for name in found_in(gzip.decompress(content[:]), wanted)
                        ]
        except FileNotFoundError:
            continue
    return found


def found_in(content: "bytes | mmap.mmap", wanted: dict[str, bytes]) -> list[str]:
    """The names of the spellings that occur."""
    return [name for name, needle in wanted.items() if content.find(needle) >= 0]


_ROT13 = str.maketrans(string.ascii_lowercase, string.ascii_lowercase[13:] + string.ascii_lowercase[:13])
