"""Tokens signed with a key of the harness, which every proxy is given."""

import base64
import hashlib
import hmac
import json
import re

_SECRET = b"meshlint-conformance-signing-key-of-32-bytes-or-more"


# A token among the parameters of a path.
PARAMETER = re.compile(r"[?&][^?&=]*=eyJ[\w-]*\.[\w-]*\.[\w-]*")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


KEY_SET = {"keys": [{"kty": "oct", "alg": "HS256", "k": _encode(_SECRET)}]}


def sign(claims: dict, valid: bool = True) -> str:
    """A token with these claims; an invalid one is signed with another key."""
    header = _encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    payload = _encode(json.dumps(claims).encode())
    secret = _SECRET if valid else _SECRET[::-1]
    signature = hmac.new(secret, f"{header}.{payload}".encode(), hashlib.sha256).digest()
    return f"{header}.{payload}.{_encode(signature)}"
