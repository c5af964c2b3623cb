"""The office over the network: one function an endpoint, nothing remembered. The only file that imports requests.

Knows bytes, headers and codes; never what they mean for the store. Plain http goes to loopback only; else TLS with the
office's pinned key. Source: SETTLED decisions 18, 26, 61, 63, 64; SECURITY A.6.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import ipaddress
import ssl
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import HTTPError, SSLError

from field_app.sync.schedule import read_timeout
from shared.ledger.crypto import key_fingerprint, sign
from shared.ledger.messages import SIGNATURE_HEADER, request_message

SYNC_TYPE = "application/x-qorgan-sync"
CONNECT_SECONDS = 10.0
REPLY_BYTES = 8 * 1024 * 1024
TUS = {"Tus-Resumable": "1.0.0"}


class NoNetwork(Exception):
    """The office could not be reached, or the answer did not come through whole. Trying again is right."""


class Faltered(NoNetwork):
    """The office answered, but with a fault of its own: the line is there, this request did not go through."""


class Refused(Exception):
    """The office answered no. `code` is its own word (device_waiting, login_wait …), `status` the number."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.message = status, code, message


class AddressRefused(Exception):
    """The address is neither https nor loopback."""


class PinMissing(AddressRefused):
    """An https address without the fingerprint of the office's key: anybody a stranger vouches for could answer."""


class WrongKey(NoNetwork):
    """Whoever answered does not hold a key this tablet was told: not the office, or its key was changed."""


class _PinnedConnection(HTTPSConnection):
    """TLS to a server whose public key has one of these fingerprints, whoever signed its certificate."""

    pins: frozenset[str] = frozenset()

    def connect(self) -> None:
        super().connect()
        try:
            shown = key_fingerprint(self.sock.getpeercert(True) or b"")  # type: ignore[union-attr]
        except ValueError:
            shown = ""
        if shown not in self.pins:
            self.close()
            raise SSLError("not the pinned key")
        self.is_verified = True


class _Pinned(HTTPAdapter):
    """The adapter that speaks through `_PinnedConnection`; pins are hex, split by commas."""

    def __init__(self, pins: str) -> None:
        self._pins = frozenset(pin.strip().lower().replace(":", "") for pin in pins.split(",") if pin.strip())
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> Any:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the key stands in for both
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        made = super().init_poolmanager(connections, maxsize, block, **pool, cert_reqs="CERT_NONE", ssl_context=context)
        connection = type("Connection", (_PinnedConnection,), {"pins": self._pins})
        pinned = type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": connection})
        self.poolmanager.pool_classes_by_scheme = {"https": pinned}
        return made

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, False, cert)  # type: ignore[no-untyped-call]


def checked_address(url: str) -> str:
    """The office's address without a slash at its end. Raises AddressRefused for plain http beyond loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return url.rstrip("/")
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if parts.scheme != "http" or not is_loopback:
        raise AddressRefused(url)
    return url.rstrip("/")


@dataclass(frozen=True)
class Office:
    """Where the office answers.

    pin  SHA-256 of its TLS public key (hex), or several with commas: the one in use and one in reserve; empty for http
         on loopback
    """

    url: str
    pin: str = ""

    def session(self) -> requests.Session:
        """A fresh connection; nothing of an earlier one is kept. Proxies of the machine are left alone."""
        session = requests.Session()
        session.trust_env = False
        session.headers.clear()  # on a slow line every byte beside the piece is waste, and nobody need know the library
        session.headers["User-Agent"] = "qorgan"
        if checked_address(self.url).startswith("https:"):
            if not self.pin.strip():
                raise PinMissing(self.url)
            session.mount("https://", _Pinned(self.pin))
        return session


@dataclass(frozen=True)
class Line(Office):
    """The office over one connection that stays open for the pieces of one round. Made by `kept_open`."""

    open_session: requests.Session | None = None


@contextmanager
def kept_open(office: Office) -> Iterator[Line]:
    """One connection for many calls: pieces of files would else pay for a new one each."""
    with office.session() as session:
        yield Line(office.url, office.pin, session)


@contextmanager
def _session(office: Office) -> Iterator[requests.Session]:
    if isinstance(office, Line) and office.open_session is not None:
        yield office.open_session
        return
    with office.session() as session:
        yield session


def _call(office: Office, method: str, path: str, size: int = 0, **rest: Any) -> requests.Response:
    return _called(office, method, path, size, lambda response: response.content, **rest)[0]


def _called(
    office: Office, method: str, path: str, size: int, read: Callable[[requests.Response], bytes], **rest: Any
) -> tuple[requests.Response, bytes]:
    """The answer and its body; `read` takes a good one while the connection lives, and may take it as it came."""
    data = b""
    try:
        with _session(office) as session:
            response = session.request(
                method, checked_address(office.url) + path, timeout=(CONNECT_SECONDS, read_timeout(size)),
                allow_redirects=False, stream=True, **rest,
            )  # fmt: skip
            data = read(response) if response.status_code < 300 else response.content
    except (requests.RequestException, HTTPError) as error:
        if isinstance(error, requests.exceptions.SSLError) and "not the pinned key" in str(error):
            raise WrongKey("not the pinned key") from error
        raise NoNetwork(type(error).__name__) from error
    _check(response)
    return response, data


def _check(response: requests.Response) -> None:
    """Raises what an answer that is none of the office's, or none that came whole, amounts to; Refused for a no."""
    status = response.status_code
    if status >= 500:
        raise Faltered(f"status {status}")
    if 300 <= status < 400:
        raise NoNetwork(f"status {status}")  # a redirect is a gate of the network, not the office
    if not _says_its_end(response):
        raise NoNetwork("cut in its head")
    if status >= 400:
        raise _refusal(response)


def _says_its_end(response: requests.Response) -> bool:
    """Whether its head tells where its body ends. One cut in the head does not, and would pass for an empty answer."""
    if response.status_code == 204 or response.request.method == "HEAD":
        return True
    return response.headers.get("Content-Length", "").isdigit() or bool(getattr(response.raw, "chunked", False))


def _refusal(response: requests.Response) -> Refused:
    try:
        said = response.json()
    except ValueError:
        said = {}
    said = said if isinstance(said, dict) else {}
    return Refused(response.status_code, str(said.get("code", "refused")), str(said.get("message", "")))


def enrol(office: Office, code: str, sign_key: str, box_key: str, label: str) -> dict[str, Any]:
    """Shows the one-time code with this tablet's keys; what the office says of tablet, person and itself.

    Raises NoNetwork, Refused(code_wrong, code_used, code_expired …).
    """
    asked = {"code": code, "sign_key": sign_key, "box_key": box_key, "label": label}
    response = _call(office, "POST", "/api/devices/enrol", json=asked)
    try:
        answer = response.json()
    except ValueError as error:
        raise NoNetwork("not an answer of the office") from error
    if not isinstance(answer, dict):
        raise NoNetwork("answer")
    return answer


def exchange(office: Office, body: bytes, seed: bytes) -> bytes:
    """One exchange: the plain request, signed and packed; the plain reply.

    Raises NoNetwork, Refused(device_waiting, signature_wrong …).
    """
    packed = gzip.compress(body, 6, mtime=0)
    signature = base64.b64encode(sign(seed, request_message(body))).decode()
    headers = {
        "Content-Type": SYNC_TYPE, "Content-Encoding": "gzip", "Accept": SYNC_TYPE, "Accept-Encoding": "gzip",
        SIGNATURE_HEADER: signature,
    }  # fmt: skip
    response, reply = _called(office, "POST", "/api/sync", len(packed), _as_it_came, data=packed, headers=headers)
    if response.headers.get("Content-Type", "").startswith("text/"):
        raise NoNetwork("not a reply of the office")
    return _plain(reply)


def _as_it_came(response: requests.Response) -> bytes:
    """The body still packed, never more than a reply may have: unpacking it has a limit of its own.

    Read until nothing comes: only there the library says that less came than was announced.
    """
    data = b""
    while len(data) <= REPLY_BYTES and (part := response.raw.read(REPLY_BYTES + 1 - len(data), decode_content=False)):
        data += part
    return data


def _plain(data: bytes) -> bytes:
    if len(data) > REPLY_BYTES:
        raise NoNetwork("reply too large")
    if not data.startswith(b"\x1f\x8b"):
        return data
    unpack = zlib.decompressobj(31)
    try:
        plain = unpack.decompress(data, REPLY_BYTES)
    except zlib.error as error:
        raise NoNetwork("broken reply") from error
    if not unpack.eof:
        raise NoNetwork("reply cut short")
    return plain


# ── media, tus 1.0.0 ────────────────────────────────────────────────────────────────────────────────────────────────


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def media_begin(office: Office, token: str, sha256: str, size: int, piece: bytes = b"") -> int:
    """Announces a file, its first piece along; how many bytes the office has then.

    An office that takes no piece here has 0. Raises NoNetwork, Refused (409 and 460 as `media_piece` does).
    """
    metadata = f"sha256 {base64.b64encode(sha256.encode()).decode()}"
    headers = TUS | _bearer(token) | {"Upload-Length": str(size), "Upload-Metadata": metadata}
    if not piece:
        try:
            _call(office, "POST", "/api/media", headers=headers)
        except Refused as refused:
            if refused.status != 409:  # known already
                raise
        return 0
    digest = bytes.fromhex(sha256) if len(piece) == size else hashlib.sha256(piece).digest()
    response = _call(office, "POST", "/api/media", len(piece), data=piece, headers=headers | _sum(digest))
    return _reached(response, 0, len(piece)) if "Upload-Offset" in response.headers else 0


def _sum(digest: bytes) -> dict[str, str]:
    digits = base64.b64encode(digest).decode()
    return {"Upload-Checksum": f"sha256 {digits}", "Content-Type": "application/offset+octet-stream"}


def media_offset(office: Office, token: str, sha256: str, size: int = 0) -> int | None:
    """How many bytes the office has; None when it was never announced, or last with another size than this one.

    Raises NoNetwork, Refused.
    """
    try:
        response = _call(office, "HEAD", f"/api/media/{sha256}", headers=TUS | _bearer(token))
    except Refused as refused:
        if refused.status in (404, 410):
            return None
        raise
    if size and response.headers.get("Upload-Length", str(size)) != str(size):
        return None
    return _offset(response)


def media_piece(office: Office, token: str, sha256: str, offset: int, piece: bytes) -> int:
    """Sends a piece; the offset behind it.

    Raises NoNetwork, Refused (409: the offset is another; 460: it changed on its way, nothing of it was kept).
    """
    headers = TUS | _bearer(token) | {"Upload-Offset": str(offset)} | _sum(hashlib.sha256(piece).digest())
    response = _call(office, "PATCH", f"/api/media/{sha256}", len(piece), data=piece, headers=headers)
    return _reached(response, offset + len(piece))


def _reached(response: requests.Response, *possible: int) -> int:
    """The office takes a piece whole or not at all: another offset is a number cut on its way."""
    offset = _offset(response)
    if offset not in possible:
        raise NoNetwork("not an answer of the office")
    return offset


def _offset(response: requests.Response) -> int:
    """What a tus server owes in every such answer; a page of the network in between does not know it."""
    text = response.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit()):
        raise NoNetwork("not an answer of the office")
    return int(text)


def media_bytes(office: Office, token: str, sha256: str, size: int = 0) -> bytes:
    """A whole sealed file. Raises NoNetwork (also when its hash is not its name), Refused."""
    data = _call(office, "GET", f"/api/media/{sha256}", size, headers=_bearer(token)).content
    if hashlib.sha256(data).hexdigest() != sha256:
        raise NoNetwork("hash")
    return data


def pack_rest(office: Office, token: str, sha256: str, have: int, size: int) -> Iterator[bytes]:
    """A pack from byte `have` on, piece by piece. Raises NoNetwork, Refused."""
    headers = _bearer(token) | ({"Range": f"bytes={have}-"} if have else {}) | {"Accept-Encoding": "identity"}
    try:
        with _session(office) as session, session.get(
            f"{checked_address(office.url)}/api/packs/{sha256}", headers=headers, stream=True,
            timeout=(CONNECT_SECONDS, read_timeout(size)), allow_redirects=False,
        ) as response:  # fmt: skip
            if response.status_code >= 400:
                response.content  # noqa: B018 - a no is read while the connection lives
            _check(response)
            skip = have if response.status_code == 200 else 0
            for piece in response.iter_content(64 * 1024):
                yield piece[skip:]
                skip = max(0, skip - len(piece))
    except requests.RequestException as error:
        raise NoNetwork(type(error).__name__) from error
