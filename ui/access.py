"""Who may read from another computer: whoever knows the password, of which only a hash is kept."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ipaddress
import os
import secrets
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from corpus import FeudError

SHORTEST = 12
"""Characters of a password."""
TRIES, PERIOD = 5, 60.0
"""How many wrong passwords one network may send in so many seconds."""
_CLIENTS = 10_000  # networks that are remembered at most
_COST = {"n": 2**15, "r": 8, "p": 1, "maxmem": 2**26}  # 32 MB and some 0.1 s for each guess


class AccessError(FeudError):
    """There is no password to serve with, or it can't be kept."""


class TooManyTriesError(AccessError):
    """This network has sent too many wrong passwords."""


def keep_password(file: Path, password: str) -> None:
    """Keep a hash of the password in `file`, which only its owner may read. Raises `AccessError`."""
    if len(password) < SHORTEST:
        raise AccessError(f"A password needs {SHORTEST} characters or more. Choose a longer one.")
    salt = secrets.token_bytes(16)
    part = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as kept:
            kept.write(f"{salt.hex()} {_hashed(password.encode(), salt).hex()}\n")
        part.replace(file)
    except OSError as error:
        raise AccessError(f"Can't write {file}: {error.strerror or error}.") from error


class Access:
    """Admits requests that carry the password kept in `file`. Raises `AccessError` if there is none."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        try:
            self._salt, self._kept = map(bytes.fromhex, file.read_text("ascii").split())
        except FileNotFoundError as error:
            raise AccessError("Others are served only with a password. Set one with: feud password") from error
        except (OSError, ValueError) as error:
            raise AccessError(f"Can't read {file}. Set the password anew with: feud password") from error
        self._clock = clock
        self._wrong: dict[str, deque[float]] = {}
        self._key, self._known = secrets.token_bytes(32), b""
        self._hashing = asyncio.Lock()

    async def admits(self, header: bytes, client: str) -> bool:
        """Whether an `Authorization` header, Basic or Bearer, carries the password; the user's name is ignored.

        Raises `TooManyTriesError` where the network of `client` has sent `TRIES` wrong ones within `PERIOD`.
        """
        password, place = _password(header), network(client)
        if self._barred(place):
            raise TooManyTriesError("Too many wrong passwords. Wait a minute.")
        if not password:
            return False
        # The hash is slow on purpose; the password that was right once is known by a fast one of this process.
        quick = hmac.digest(self._key, password, "sha256")
        if hmac.compare_digest(quick, self._known):
            return True
        async with self._hashing:  # one at a time, so that guesses can't take all the memory
            if self._barred(place):
                raise TooManyTriesError("Too many wrong passwords. Wait a minute.")
            hashed = await asyncio.to_thread(_hashed, password, self._salt)
            if hmac.compare_digest(hashed, self._kept):
                self._known = quick
                return True
            self._count(place)
            return False

    def _barred(self, network: str) -> bool:
        tries = self._wrong.get(network, ())
        return sum(self._clock() - tried < PERIOD for tried in tries) >= TRIES

    def _count(self, network: str) -> None:
        tries = self._wrong.pop(network, deque(maxlen=TRIES))
        self._wrong[network] = tries  # the latest last
        tries.append(self._clock())
        while len(self._wrong) > _CLIENTS:
            del self._wrong[next(iter(self._wrong))]


def _hashed(password: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(password, salt=salt, **_COST)


def _password(header: bytes) -> bytes:
    """The password that a header carries, b"" for none.

    >>> _password(b"Bearer sesame"), _password(b"Basic bWU6czM6c2FtZQ=="), _password(b"Basic ?")
    (b'sesame', b's3:same', b'')
    """
    scheme, _, value = header.partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip()
    if scheme.lower() == b"basic":
        try:
            return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""


def network(client: str) -> str:
    """Return where a client is counted: its address, or the /64 that a household has of IPv6.

    >>> network("203.0.113.9"), network("2001:db8::1"), network("")
    ('203.0.113.9', '2001:db8::/64', '')
    """
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
