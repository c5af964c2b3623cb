"""TLS to the office: the pinned certificate is taken whoever signed it, any other is not."""

from __future__ import annotations

import hashlib
import http.server
import ssl
import subprocess
import threading

import pytest

from field_app.sync import client


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


def certificate(folder, name: str) -> tuple[str, str, str]:
    """(certificate, key, SHA-256 of the certificate in hex) of a self-signed server."""
    cert, key = str(folder / f"{name}.crt"), str(folder / f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    with open(cert, encoding="ascii") as file:
        der = ssl.PEM_cert_to_DER_cert(file.read())
    return cert, key, hashlib.sha256(der).hexdigest()


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


def test_the_pinned_certificate_is_taken(tls_office):
    url, pin = tls_office
    assert client.enrol(client.Office(url, pin), "code", "a", "b", "label") == {"device": "x"}


def test_another_certificate_is_not(tls_office, tmp_path):
    url, _ = tls_office
    _, _, other = certificate(tmp_path, "other")
    with pytest.raises(client.NoNetwork):
        client.enrol(client.Office(url, other), "code", "a", "b", "label")


def test_without_a_pin_a_certificate_nobody_vouches_for_is_not(tls_office):
    url, _ = tls_office
    with pytest.raises(client.NoNetwork):
        client.enrol(client.Office(url), "code", "a", "b", "label")
