"""Random choices, and the few words that worlds are made of: few, so that they meet."""

import random

SEGMENTS = ["api", "internal", "admin", "v1", "public", "apix"]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
HEADERS = ["x-role", "x-team", "X-Env"]
HEADER_VALUES = ["admin", "dev", "administrator", "a,b", "Admin"]
PARAMETERS = ["k", "debug"]
HOSTS = ["shop.example.com", "pay.example.com", "a.b.example.com", "example.com"]
ADDRESSES = ["10.1.2.3", "10.1.9.9", "10.2.0.1", "192.168.1.7", "203.0.113.9"]
BLOCKS = ["10.1.0.0/16", "10.1.2.0/24", "10.0.0.0/8", "192.168.1.7", "203.0.113.0/30", "0.0.0.0/0"]
ISSUERS = ["https://iss.example", "iss"]
SUBJECTS = ["bob", "alice", "bob/x"]

# Regular expressions with texts that one would try on them.
PATH_REGEXES = [
    ("/api/.*", ["/api/", "/api/x"]),
    ("/api", ["/api"]),
    ("/v[0-9]+/.*", ["/v1/x", "/v12/", "/vx/"]),
    ("(?i)/admin.*", ["/ADMIN", "/admin/x"]),
    ("/internal|/public", ["/internal", "/public", "/internal/public"]),
    ("/[a-z]+/internal", ["/api/internal", "/1/internal"]),
    ("/api(/v1)?", ["/api", "/api/v1", "/api/v"]),
    ("^/public/[^/]+$", ["/public/x", "/public/x/y", "/public/"]),
    (".*", ["/"]),
    ("/.*", ["/"]),
    ("/.*/v1", ["//v1", "/api/v1"]),
    ("/a.i", ["/api", "/a/i"]),
]
# Expressions that rewrite paths, and what by.
PATH_REWRITES = [
    ("^/api/(.*)$", r"/\1"),
    ("/v[0-9]+", "/v2"),
    ("^/([^/]+)/(.*)$", r"/\2/\1"),
    ("internal|admin", "public"),
    ("^.*$", "/internal"),
    ("/+", "/"),
    ("[.]", ""),
    ("^/api", ""),
]
VALUE_REGEXES = ["adm.*", "admin|dev", "[a-z]+", ".*", "*", "a,b"]


class Draw:
    """Choices of one world."""

    def __init__(self, source: random.Random):
        self._source = source

    def chance(self, probability: float) -> bool:
        """True this often."""
        return self._source.random() < probability

    def integer(self, low: int, high: int) -> int:
        """A number, both ends included."""
        return self._source.randint(low, high)

    def one(self, values):
        """One of several."""
        return self._source.choice(list(values))

    def some(self, values, most: int) -> list:
        """One to `most` different ones."""
        values = list(values)
        return self._source.sample(values, min(len(values), self.integer(1, most)))

    def weighted(self, pairs: list[tuple]):
        """One of several, some likelier than others."""
        values, weights = zip(*pairs)
        return self._source.choices(values, weights)[0]

    def path(self) -> str:
        """A plain path."""
        parts = [self.one(SEGMENTS) for _ in range(self.weighted([(1, 5), (2, 4), (3, 1)]))]
        return "/" + "/".join(parts) + ("/" if self.chance(0.1) else "")
