"""Sends one request over one connection, byte for byte, and says what came back."""

import os
import socket
import ssl
import threading
from dataclasses import dataclass, field

PATIENCE = 3.0  # seconds; whoever takes longer is a fault of the harness
MARK = b"meshlint-bytes "  # what an application answers to bytes that are not HTTP
NO_HTTP = b"\x00\x01\x02 not http\r\n\r\n"


@dataclass
class Reply:
    """What came back on a connection."""

    kind: str  # "http", "bytes", "closed", "refused", "late"
    connection: str = ""  # its two ends, by which logs know it
    status: int = 0
    headers: dict = field(default_factory=dict)
    text: str = ""


class Identities:
    """TLS settings of callers, made once for each certificate."""

    def __init__(self, folder: str):
        self._folder, self._contexts, self._lock = folder, {}, threading.Lock()

    def context(self, certificate: dict | None, alpn: list[str]) -> ssl.SSLContext:
        """The settings of a caller with a certificate, or of one without."""
        with self._lock:
            return self._context(certificate, alpn)

    def _context(self, certificate: dict | None, alpn: list[str]) -> ssl.SSLContext:
        key = (certificate and certificate["chain"], tuple(alpn))
        if key not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(alpn)
            if certificate:
                path = os.path.join(self._folder, f"{len(self._contexts)}.pem")
                with open(path, "w", encoding="ascii") as file:
                    file.write(certificate["chain"] + certificate["key"])
                context.load_cert_chain(path)
            self._contexts[key] = context
        return self._contexts[key]


def message(request: dict, authority: str) -> bytes:
    """The request as bytes."""
    if request.get("protocol") == "tcp":
        return NO_HTTP
    lines = [f"{request.get('method', 'GET')} {request.get('path', '/')} HTTP/1.1", f"host: {authority}"]
    lines += [f"{name}: {value}" for name, value in request.get("headers") or []]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def send(target: tuple[str, int], source: str, prefix: bytes, data: bytes, tls, sni: str | None) -> Reply:
    """Opens a connection from an address, sends, and reads one reply."""
    with socket.socket() as connection:
        connection.settimeout(PATIENCE)
        try:
            connection.bind((source, 0))
            connection.connect(target)
        except ConnectionRefusedError:
            return Reply("refused")
        ends = "%s:%d>%s:%d" % (*connection.getsockname(), *target)
        try:
            connection.sendall(prefix)
            if tls is None:
                connection.sendall(data)
                reply = _read(connection.recv)
            else:
                reply = _through_tls(connection, tls, sni, data)
        except TimeoutError:
            reply = Reply("late")
        except OSError:
            reply = Reply("closed")
        reply.connection = ends
        return reply


def _read(receive) -> Reply:
    """Reads up to the end of the headers, or of what is no HTTP."""
    found = b""
    while b"\r\n\r\n" not in found:
        try:
            more = receive(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            more = b""
        if not more:
            break
        found += more
    return _parse(found)


def _parse(found: bytes) -> Reply:
    """A reply out of its bytes."""
    if found.startswith(MARK):
        return Reply("bytes", text=found[len(MARK):].decode("latin-1").strip())
    if not found.startswith(b"HTTP/1.1 "):
        return Reply("closed")
    lines = found.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Reply("http", status=int(lines[0].split(" ")[1]), headers=headers)


def _through_tls(connection, context: ssl.SSLContext, sni: str | None, data: bytes) -> Reply:
    """A TLS client that keeps the raw bytes, for a peer that answers the handshake without TLS."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=sni)
    raw = b""

    def step(action):
        nonlocal raw
        while True:
            try:
                result = action()
                connection.sendall(outgoing.read())
                return result
            except ssl.SSLWantReadError:
                connection.sendall(outgoing.read())
                more = connection.recv(65536)
                if not more:
                    raise ssl.SSLEOFError("closed") from None
                raw += more
                incoming.write(more)

    try:
        step(tls.do_handshake)
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
        return _parse(raw) if raw.startswith(MARK) else Reply("closed")

    def receive(size: int) -> bytes:
        return step(lambda: tls.read(size))

    try:
        step(lambda: tls.write(data))
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
        return Reply("closed")
    return _read(receive)
