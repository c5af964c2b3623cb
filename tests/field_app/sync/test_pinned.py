"""TLS to the office: the pinned key is taken whoever signed its certificate, any other is not."""

from __future__ import annotations

import base64
import hashlib
import http.server
import ssl
import subprocess
import threading

import pytest

from field_app.sync import client
from shared.ledger.crypto import key_fingerprint


class _Office(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"device": "x"}'
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def certificate(folder, name: str, key: str = "") -> tuple[str, str, str]:
    """(certificate, key, SHA-256 of the public key in hex) of a self-signed server; `key`: one it has already."""
    cert = str(folder / f"{name}.crt")
    fresh = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        str(folder / f"{name}.key"),
    ]
    subprocess.run(
        ["openssl", "req", "-x509", *(["-key", key] if key else fresh), "-days", "2", "-subj", f"/CN={name}", "-out",
         cert],
        check=True, capture_output=True,
    )  # fmt: skip
    public = subprocess.run(
        ["openssl", "x509", "-in", cert, "-noout", "-pubkey"], check=True, capture_output=True
    ).stdout
    der = base64.b64decode(b"".join(public.split(b"\n")[1:-2]))
    return cert, key or str(folder / f"{name}.key"), hashlib.sha256(der).hexdigest()


@pytest.fixture
def tls_office(tmp_path):
    cert, key, pin = certificate(tmp_path, "office")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Office)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}", pin
    server.shutdown()
    server.server_close()


def test_the_pinned_key_is_taken_and_one_in_reserve_does_no_harm(tls_office):
    url, pin = tls_office
    for pins in (pin, f"{'0' * 64}, {pin.upper()}"):
        assert client.enrol(client.Office(url, pins), "code", "a", "b", "label") == {"device": "x"}


def test_a_renewed_certificate_that_keeps_its_key_has_the_same_fingerprint(tmp_path):
    cert, key, pin = certificate(tmp_path, "office")
    renewed = certificate(tmp_path, "renewed", key)
    assert renewed[2] == pin
    with open(renewed[0], encoding="ascii") as new, open(cert, encoding="ascii") as old:
        found = [ssl.PEM_cert_to_DER_cert(file.read()) for file in (new, old)]
    assert found[0] != found[1]
    assert {key_fingerprint(der) for der in found} == {pin}


def test_another_key_is_not(tls_office, tmp_path):
    url, _ = tls_office
    _, _, other = certificate(tmp_path, "other")
    with pytest.raises(client.WrongKey):
        client.enrol(client.Office(url, other), "code", "a", "b", "label")


@pytest.mark.parametrize("pin", ["", " "])
def test_without_a_pin_nobody_is_asked_whatever_the_machine_trusts(tls_office, pin):
    with pytest.raises(client.PinMissing):
        client.enrol(client.Office(tls_office[0], pin), "code", "a", "b", "label")
