#!/usr/bin/env python3
"""Records what a real RE2 makes of generated expressions: whether it accepts them, how large their program is, and
which values they match in full. Writes fixtures/space/re2.jsonl, which `cargo test` replays. See README.md."""

import itertools
import json
import pathlib
import random
import subprocess
import sys

from re2 import _re2

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parents[2] / "fixtures" / "space" / "re2.jsonl"
SEED = 20261126
LIMIT = 32768  # istio/istio pkg/bootstrap/config.go, re2.max_program_size.error_level


def compile(source):
    """As Envoy does: Latin-1, quiet, everything else by default."""
    options = _re2.RE2.Options()
    options.encoding = _re2.RE2.Options.Encoding.LATIN1
    options.log_errors = False
    return _re2.RE2(source.encode("utf-8"), options)


def matches(compiled, value):
    return compiled.Match(_re2.RE2.Anchor.ANCHOR_BOTH, value, 0, len(value))[0] != (-1, -1)


class Grammar:
    """Random expressions, with a bias to what is odd in RE2."""

    LETTERS = ["a", "b", "k", "A", "K", "/", "-", "1", " ", "_", ".", ":", "é", ";"]
    ATOMS = [
        ".", "\\.", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\pL", "\\PL", "\\p{Lu}", "\\p{^Lu}", "\\P{Ll}",
        "\\p{Greek}", "\\pN", "\\n", "\\t", "\\x41", "\\x{6b}", "\\x{e9}", "\\101", "\\C", "\\_", "\\-", "\\/", "{",
        "}", "]", "\\Qa.b\\E", "\\Q*\\E", "[[:alpha:]]", "[[:^digit:]]", "[[:word:]]", "[[:space:]]", "\\x00", "&",
    ]
    LOOKS = ["^", "$", "\\A", "\\z", "\\b", "\\B"]
    MEMBERS = [
        "a", "b", "k", "K", "1", "-", "^", "[", "]", "&&", ".", "\\d", "\\W", "\\pL", "\\P{Lu}", "[:digit:]", "[:^upper:]",
        "a-k", "A-Z", "0-9", "\\n", "\\-", "\\]", "\\x41", "é", "~", "/", "_", "\\x80-\\xff", "+-/", ":", "[:", ":]",
    ]
    FLAGS = ["i", "m", "s", "U", "-i", "i-s", "ms", "-m", "iU", "-s"]

    def __init__(self, random):
        self.random = random

    def alternation(self, depth):
        count = self.random.choice([1, 1, 1, 2, 2, 3, 4]) if depth else 1
        return "|".join(self.concatenation(depth) for _ in range(count))

    def concatenation(self, depth):
        return "".join(self.item(depth) for _ in range(self.random.choice([0, 1, 1, 2, 2, 3, 4])))

    def item(self, depth):
        pick = self.random.random()
        if pick < 0.08:
            return self.random.choice(self.LOOKS)
        if pick < 0.11:
            return f"(?{self.random.choice(self.FLAGS)})"
        return self.atom(depth) + self.repetition()

    def atom(self, depth):
        pick = self.random.random()
        if pick < 0.4:
            return self.random.choice(self.LETTERS)
        if pick < 0.6:
            return self.random.choice(self.ATOMS)
        if pick < 0.75:
            members = "".join(self.random.choice(self.MEMBERS) for _ in range(self.random.choice([1, 1, 2, 3])))
            return f"[{self.random.choice(['', '', '^'])}{members}]"
        if depth == 0:
            return self.random.choice(self.LETTERS)
        opening = self.random.choice(["(", "(", "(?:", "(?:", "(?P<n>", "(?<m>", f"(?{self.random.choice(self.FLAGS)}:"])
        return f"{opening}{self.alternation(depth - 1)})"

    def repetition(self):
        pick = self.random.random()
        if pick < 0.6:
            return ""
        if pick < 0.85:
            return self.random.choice(["*", "+", "?"]) + self.random.choice(["", "", "?"])
        low, high = self.random.choice([0, 1, 2, 3]), self.random.choice([1, 2, 3, 5])
        return self.random.choice([f"{{{low}}}", f"{{{low},}}", f"{{{low},{high}}}", f"{{,{high}}}", "{", f"{{{low}"]) + (
            self.random.choice(["", "", "", "?"])
        )

    def expression(self):
        return self.alternation(self.random.choice([1, 2, 2, 3]))


def broken(source, random):
    """One edit of an expression: most are refused."""
    at = random.randrange(len(source) + 1)
    kind = random.randrange(3)
    if kind == 0 and source:
        return source[:at] + source[at + 1 :]
    if kind == 1:
        return source[:at] + random.choice("()[]{}*+?|\\^$-:,PQE<>=!&0123iU#") + source[at:]
    other = random.randrange(len(source) + 1)
    return source[: max(at, other)] + source[min(at, other) :]


def tables():
    """What is worth one row each, in and out of brackets."""
    for byte in range(0x20, 0x7F):
        for source in ("\\" + chr(byte), chr(byte), f"[\\{chr(byte)}]", f"[{chr(byte)}]", f"(?{chr(byte)})a", f"a{chr(byte)}"):
            yield source
            yield f"(?i){source}"
    for name in (
        "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit Alpha foo "
        "^alpha ^space"
    ).split():
        yield from (f"[[:{name}:]]", f"(?i)[[:{name}:]]", f"[^[:{name}:]x]", f"[:{name}:]")
    for name in (
        "Any L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co Cs Cn "
        "LC Letter Uppercase Alphabetic greek Greek Latin Cyrillic Common Inherited Han Yi Nko Kawi Toto Vithkuqi ascii "
        "ASCII Assigned Unknown Zzzz White_Space gc=L Script=Greek ^L ^Greek L1 Garay"
    ).split():
        yield from (f"\\p{{{name}}}", f"\\P{{{name}}}", f"(?i)\\p{{{name}}}", f"(?i)\\P{{{name}}}", f"[^\\p{{{name}}}]")
        yield f"\\p{name[0]}"
    yield from (
        "a**", "a*+", "a+?*", "a{2}{3}", "a{2}*", "(a*)*", "(?:a*)*", "(?:a+)?", "(?i)*", "a(?i)*", "a*(?i)*", "a|(?i)*",
        "\\Qab\\E*", "\\Q\\E*", "a\\Q\\E*", "a*\\Q\\E*", "\\E", "a\\E", "\\Qa\\E\\E", "\\Q\\\\E", "\\Qa", "\\Q", "^*", "$*",
        "\\b+", "(?:^)*", "(?:^$){3}", "(^|$){2,}", "|", "||", "(|)", "(|a)*", "(a|)+", "()", "(?:)", "()*", "(?)", "(?-)",
        "(?:", "(?i", "(?P<", "(?P<>a)", "(?P<a", "(?P<a>b", "(?P=a)", "(?<a>b)", "(?<>b)", "(?'a'b)", "(?#a)", "(?>a)",
        "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?P<é>a)", "(?P<ªb>a)", "(?P<a b>c)", "(?P<1>a)", "(?P<n>a)(?P<n>b)", "(?|a)", "(?&a)",
        "[", "[a", "[]", "[]a]", "[^]", "[^]a]", "[a-]", "[-a]", "[a-b-c]", "[b-a]", "[a--]", "[--a]", "[+--]", "[a-\\d]",
        "[\\d-z]", "[[:]]", "[[:a]", "[[:alpha:", "[[:alpha]]", "[[:alpha:]-z]", "[a-[:alpha:]]", "[[]", "[[a]]", "[\\Q]",
        "[\\b]", "[\\pL-z]", "[a&&b]", "[a||b]", "[a~~b]", "[\\x00-\\xff]", "[^\\x00-\\xff]", "[^\\x00-\\xff]*",
        "a[^\\x00-\\xff]?", "(?i)[^k]", "(?i)k", "(?i)\\xe9", "(?i)É", "é", "[é]", "É|é", "\\x", "\\x4", "\\x{", "\\x{}",
        "\\x{41", "\\x{0000000000041}", "\\x{100}", "\\x{20AC}", "\\x{10ffff}", "\\x{110000}", "\\x{fffffffff}", "\\xg0",
        "\\0", "\\00", "\\000", "\\0000", "\\1", "\\12", "\\377", "\\400", "\\777", "\\8", "\\k<a>", "\\g1", "\\cA", "\\e",
        "\\h", "\\R", "\\X", "\\K", "\\G", "\\Z", "\\<a\\>", "\\y", "a{,3}", "a{01}", "a{1,02}", "a{1000}", "a{1001}",
        "a{0,1001}", "a{1000,}", "a{1001,}", "a{2,1}", "a{999999999}", "a{9999999999}", "a{1,9999999999}", "a{", "a{1",
        "a{1,", "a{1,2", "{1}", "{", "a|{1}", "({1})", "(a{1000}){1}", "(a{500}){2}", "(a{500}){3}", "(a{100}){10}",
        "(a{100}){11}", "((a{10}){10}){10}", "((a{10}){10}){11}", "((a{100})*){100}", "((a{0}){1000}){2}", "(a{1000}){0}",
        "((a{30})+){33}", "((a{30})+){34}", "a)", "(a", "((a)", "a))", "(?s).", "(?s).|a", "a|(?s).", "(?s).*", "x(?s).*",
        "(?m)a$\n^b", "(?m)^*$", "a$b", "a^b", "$^", "^^a", "^a", "\\Aab", "^(?i)ab", "^[a]b", "^[ab]c", "^a$", "^ab*",
        "(^a)", "((^a))", "(((^a)))", "((((^a))))", "a$", "(a$)", "a\\z", "^$", "^", "$", "^|a", "(^a|^b)", "a*a", "a+a*",
        "aa*", "a?a", "a{2}a", "a{2,3}a{1,}", "a*ab", "a*(?i)a", "a*?a*", "a*aab", "[ab]*[ab]", ".*.", ".*.*", "\\C*\\C",
        "abc|abd", "abc|ab", "ab|abc|abd|b", "a|b|c", "a|[bc]|d", "abc|xyz|abd", "(?:ab|ac)|ad", "[ab]c|[ab]d", "^a|^b",
        "\\ba|\\bb", "a{3}b|a{3}c", "a*b|a*c", "(a)b|(a)c", "$|\\z", "(?i)ab|AB", "(?i)a|(?-i)a", "a|a", "|a|", "a||b",
        "(?:a|b)|(?:c|d)e", "abcde|abcdf|abxyz|q", "(?:(?:a))", "x(?:ab)c", "(?:x*a)b", "(?U)a*", "(?U)a*?", "(?U:a*)*",
    )


# The shapes of expressions that meshes have.
SERVED = [
    "/api/v[0-9]+/.*", "/users/[^/]+/orders(/.*)?", "^/static/.*\\.(css|js|png|svg|woff2?)$", ".*\\.php", "/health(z)?/?",
    "(?i)/admin(/.*)?", "/(en|de|fr|it)(/[a-z0-9-]+)*", "[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\\.[a-zA-Z]{2,}", "Bearer .+",
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "^(?:[0-9]{1,3}\\.){3}[0-9]{1,3}$", "GET|HEAD",
    "^(.*?;)?(user=jason)(;.*)?$", ".*(Android|iPhone|iPad).*", "(dev|stage|prod)-[a-z]+(-[0-9]{1,2})?", "/v1/.{1,64}",
    "^[^?#]*$", "/wp-(admin|login|content)/.*", "/(?:internal|private)(?:/|$).*", ".*/\\.\\./.*", "[^/]+", "/[^/]+/[^/]+/?",
    "spiffe://[^/]+/ns/[^/]+/sa/[^/]+", "(^|.*; )session=[^;]+(;.*|$)", "\\S+\\s\\S+", "/download/\\d{4}/\\d{2}/\\d{2}/.+",
]

# Programs around the limit, and repetitions in each other. The last of each kind that passes is found by search.
SCALED = [
    "(?:(?:[a-c][x-z]){{{inner}}}){{{outer}}}", "(?:[a-z0-9_.~-]{{{inner}}}){{{outer}}}", "(?:(a|b1|c2)?{{0}}x{{{inner}}}|y){{{outer}}}",
    "((?:a?b?){{0,{inner}}}){{{outer}}}", "(?:(?:/[a-z]+){{1,{inner}}}-){{{outer}}}", "([!-/:-@\\[-`{{-~0]{{{inner},}}){{{outer}}}",
    "(?i:(?:[a-ck-mx-z1357]){{{inner}}}){{{outer}}}", "(?:[acegikmoqsuwy]{{{inner}}}){{{outer}}}", "(?s:.{{{inner}}})|[acegik]{{{outer}}}",
]


def scaled():
    for shape in SCALED:
        for inner, outer in [(1, 1), (2, 3), (3, 2), (7, 11), (10, 100), (100, 10), (31, 32), (1, 1000), (1000, 1), (500, 2)]:
            yield shape.format(inner=inner, outer=outer)
    # Each class costs one instruction for each range; the border lies between the last two that are tried.
    for ranges in range(30, 37):
        members = "".join(f"\\x{0x21 + 2 * index:02x}" for index in range(ranges))
        for times in (1000, 1000 - ranges, LIMIT // ranges, LIMIT // ranges - 1):
            if times <= 1000:
                yield f"[{members}]{{{times}}}"
                yield f"([{members}]{{{times // 2}}}){{2}}"
                yield f"([{members}]|kk){{{times}}}"
    members = "".join(f"\\x{0x21 + 2 * index:02x}" for index in range(32))
    for ending in ("(?:ab){381}c", "(?:ab){382}", "(?:ab){382}c"):
        yield f"[{members}]{{1000}}{ending}"


def pool(source, random):
    """Values worth trying: short ones over the characters of the expression, and mutations of it."""
    plain = [c for c in source.encode("utf-8") if chr(c).isalnum() or c >= 0x80 or chr(c) in " /-._:;~&"]
    letters = list(dict.fromkeys([*plain, *b"ak1 /"]))[:6]
    values = [bytes(word) for length in range(4) for word in itertools.product(letters, repeat=length)]
    odd = list(b"\n\t\x0b\x00\xe9\xc9{}*[]&<>ABKb\\")
    for _ in range(60):
        size = random.choice([1, 1, 2, 3, 4, 5, 6, 8])
        values.append(bytes(random.choice(letters if random.random() < 0.75 else odd) for _ in range(size)))
    stripped = "".join(c for c in source if c not in "()|^$?*+[]\\").encode("utf-8")
    values.extend([stripped, stripped[:4], stripped * 2])
    return list(dict.fromkeys(values))


def row(source, random):
    compiled = compile(source)
    if not compiled.ok():
        return {"regex": source, "refused": compiled.error().decode("utf-8", "replace")}
    out = {"regex": source, "size": compiled.ProgramSize()}
    if len(source) > 400 or out["size"] > 4000:
        return out
    values = pool(source, random)
    random.shuffle(values)
    yes, no = [], []
    for value in values:
        side = yes if matches(compiled, value) else no
        if len(side) < 6:
            side.append(value.decode("latin-1"))
    return {**out, "yes": sorted(yes), "no": sorted(no)}


def istiod(sources):
    """Which expressions Go's `regexp` accepts, which is what istiod asks."""
    text = "".join(json.dumps(source) + "\n" for source in sources)
    run = subprocess.run(["go", "run", str(HERE / "istiod.go")], input=text, capture_output=True, text=True, check=True)
    return [line == "true" for line in run.stdout.split()]


def main():
    chance = random.Random(SEED)
    grammar = Grammar(chance)
    sources = [*tables(), *SERVED, *scaled()]
    sources += [grammar.expression() for _ in range(4500)]
    sources += [broken(chance.choice(sources), chance) for _ in range(2500)]
    sources = [source for source in dict.fromkeys(sources) if len(source) <= 1024]
    rows = [row(source, chance) for source in sources]
    for entry, accepted in zip(rows, istiod(sources), strict=True):
        if accepted != ("size" in entry):
            entry["istiod"] = accepted
    OUT.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in rows)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    accepted = sum("size" in entry for entry in rows)
    verdicts = sum(len(entry.get("yes", [])) + len(entry.get("no", [])) for entry in rows)
    differ = sum("istiod" in entry for entry in rows)
    print(f"{len(rows)} expressions, {accepted} accepted, {verdicts} verdicts, {differ} where istiod differs", file=sys.stderr)


if __name__ == "__main__":
    main()
