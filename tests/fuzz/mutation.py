"""Spoiling messages: flipped bits, cuts, repetitions, swapped lines, giant and foreign numbers, broken structure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

LONGEST = 16_000
"""What is longer is cut: it would only slow the run down."""
NASTY = (
    b"", b" ", b"\t", b"\0", b"\xff", b"\xc3", b'"', b'\\"', b"<", b">", b"<>", b",", b",,", b";", b";;", b"=", b":",
    b"::", b"%", b"%00", b"%zz", b"%ff", b"*", b"?", b"@", b"/", b"\\", b"[", b"]", b"[::1", b"-", b"-1", b"+5", b"1_0",
    b"0x10", b"1e9", b"0", b"00000000000000000000000000000000", b"2147483647", b"2147483648", b"4294967295",
    b"4294967296", b"18446744073709551616", b"9" * 5000, "²".encode(), "٣".encode(), "１２".encode(), "𝟗".encode(),
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\r\n ", b"\x0b", b"\x0c", b"\x1b[31m", "\u2028".encode(), "\u202e".encode(),
    b"a" * 300, b"(" * 500, b";a" * 400, b",a" * 400, b"<sip:a@b>" * 12, b"SIP/2.0", b"z9hG4bK", b"sip:", b"INVITE",
    b"..", b"a..b", b"-.-", b"256.1.1.1", b"999.999.999.999", b"[:::1.2.3.4]", b"[1:2:3:4:5:6:7:8:9]",
)  # fmt: skip
_NUMBER = re.compile(rb"[0-9]+")
_FOREIGN_ZEROS = (0x0660, 0x0966, 0xFF10, 0x1D7CE)
_LENGTH = re.compile(rb"(?im)^(Content-Length|l)([ \t]*:[ \t]*)[0-9]+(?=\r$)")


class Mutator:
    """Spoils messages; `random` decides how."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ways: list[Callable[[bytes], bytes]] = [
            self._flip_bits, self._cut, self._repeat, self._insert, self._replace, self._end_early, self._number,
            self._swap_lines, self._drop_line, self._repeat_line, self._spoil_value, self._spoil_value, self._foreign,
            self._line_ends, self._fold, self._case, self._many, self._spoil_body_line, self._length,
        ]  # fmt: skip

    def mutate(self, data: bytes) -> bytes:
        """Return `data` spoilt in one to four ways; often its length is put right, so that the rest is read."""
        for _ in range(min(self._random.randint(1, 4), self._random.randint(1, 4))):
            data = self._ways[self._random.randrange(len(self._ways))](data)[:LONGEST]
        return with_length(data) if self._random.random() < 0.6 else data

    def splice(self, one: bytes, other: bytes) -> bytes:
        """Return the beginning of one message with the end of another."""
        return (one[: self._at(one)] + other[self._at(other) :])[:LONGEST]

    # -- bytes -------------------------------------------------------------------------------------------------

    def _at(self, data: bytes) -> int:
        return self._random.randrange(len(data)) if data else 0

    def _nasty(self) -> bytes:
        return NASTY[self._random.randrange(len(NASTY))]

    def _flip_bits(self, data: bytes) -> bytes:
        spoilt = bytearray(data)
        for _ in range(self._random.randint(1, 8) if data else 0):
            spoilt[self._at(data)] ^= 1 << self._random.randrange(8)
        return bytes(spoilt)

    def _cut(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + data[at + self._random.choice((1, 2, 5, 40, 400)) :]

    def _repeat(self, data: bytes) -> bytes:
        at = self._at(data)
        piece = data[at : at + self._random.choice((1, 3, 20, 200))]
        return data[:at] + piece * self._random.choice((2, 2, 3, 50)) + data[at:]

    def _insert(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self._nasty() + data[at:]

    def _replace(self, data: bytes) -> bytes:
        at = self._at(data)
        nasty = self._nasty()
        return data[:at] + nasty + data[at + len(nasty) :]

    def _end_early(self, data: bytes) -> bytes:
        return data[: self._at(data)]

    # -- numbers -----------------------------------------------------------------------------------------------

    def _some_number(self, data: bytes) -> re.Match[bytes] | None:
        found = list(_NUMBER.finditer(data))
        return self._random.choice(found) if found else None

    def _number(self, data: bytes) -> bytes:
        match = self._some_number(data)
        return data if match is None else data[: match.start()] + self._nasty() + data[match.end() :]

    def _foreign(self, data: bytes) -> bytes:
        match = self._some_number(data)
        if match is None:
            return data
        zero = self._random.choice(_FOREIGN_ZEROS)
        digits = "".join(chr(zero + digit - 0x30) for digit in match[0])
        return data[: match.start()] + digits.encode() + data[match.end() :]

    def _length(self, data: bytes) -> bytes:
        length = self._random.choice((b"0", b"1", b"99999", b"2147483648", b"-1", b"1, 1"))
        return _LENGTH.sub(lambda match: match[1] + match[2] + length, data, count=1)

    # -- lines -------------------------------------------------------------------------------------------------

    def _lines(self, data: bytes) -> tuple[list[bytes], bytes]:
        head, _, body = data.partition(b"\r\n\r\n")
        return head.split(b"\r\n"), body

    def _swap_lines(self, data: bytes) -> bytes:
        lines, body = self._lines(data)
        a, b = self._random.randrange(len(lines)), self._random.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
        return _joined(lines, body)

    def _drop_line(self, data: bytes) -> bytes:
        lines, body = self._lines(data)
        del lines[self._random.randrange(len(lines))]
        return _joined(lines, body)

    def _repeat_line(self, data: bytes) -> bytes:
        lines, body = self._lines(data)
        at = self._random.randrange(len(lines))
        lines[at:at] = [lines[at]] * self._random.choice((1, 1, 2, 80, 300))
        return _joined(lines, body)

    def _spoil_value(self, data: bytes) -> bytes:
        lines, body = self._lines(data)
        at = self._random.randrange(len(lines))
        name, colon, value = lines[at].partition(b":")
        cut = self._at(value)
        spoilt = self._random.choice((b"", value[:cut], value[cut:], value + b", " + value))
        lines[at] = name + colon + b" " + spoilt + (self._nasty() if self._random.random() < 0.7 else b"")
        return _joined(lines, body)

    def _line_ends(self, data: bytes) -> bytes:
        times = self._random.choice((1, 1, 1000))
        return data.replace(b"\r\n", self._random.choice((b"\n", b"\r", b"\n\r", b"\r\n\r\n", b"\0")), times)

    def _fold(self, data: bytes) -> bytes:
        at = data.find(b" ", self._at(data))
        return (
            data if at < 0 else data[:at] + self._random.choice((b"\r\n ", b"\r\n\t\t", b"\n ")) + data[at:]
        )

    def _case(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + data[at : at + 30].swapcase() + data[at + 30 :]

    def _many(self, data: bytes) -> bytes:
        lines, body = self._lines(data)
        line = self._random.choice(
            (b"Via: SIP/2.0/UDP a;branch=z9hG4bKa", b"m: <sip:a@b>", b"Accept: a/b", b"X: y")
        )
        return _joined([*lines, *[line] * self._random.choice((11, 33, 71, 257))], body)

    def _spoil_body_line(self, data: bytes) -> bytes:
        lines, body = self._lines(data)
        rows = body.split(b"\r\n")
        at = self._random.randrange(len(rows))
        cut = self._at(rows[at])
        rows[at : at + 1] = self._random.choice(
            ([], [rows[at]] * 2, [rows[at]] * 600, [rows[at][:cut]], [rows[at][:2] + self._nasty()])
        )
        return _joined(lines, b"\r\n".join(rows))


def _joined(lines: list[bytes], body: bytes) -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def with_length(data: bytes) -> bytes:
    """Return `data` with the Content-Length that it has."""
    head, blank, body = data.partition(b"\r\n\r\n")
    length = str(len(body)).encode()
    return _LENGTH.sub(lambda match: match[1] + match[2] + length, head + b"\r", count=1)[:-1] + blank + body
