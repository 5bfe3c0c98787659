package main

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The longest manifest that is mutated, in bytes.
const longest = 900

// mutate cuts, swaps, nests, retypes and misspells in manifests.
func mutate(root string, seed uint64, count int) []Row {
	var texts []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile(path)
		if len(text) <= longest {
			texts = append(texts, string(text))
		}
		return err
	})
	if err != nil {
		panic(err)
	}
	slices.Sort(texts)
	random := rand.New(rand.NewPCG(seed, 1))
	var rows []Row
	for len(rows) < count {
		text := texts[random.IntN(len(texts))]
		for range 1 + random.IntN(3) {
			text = change(random, text)
		}
		rows = append(rows, row("", text))
	}
	return rows
}

// change makes one change.
func change(random *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\n")
	at := random.IntN(len(lines))
	switch random.IntN(9) {
	case 0: // a line less
		lines = slices.Delete(lines, at, at+1)
	case 1: // a line twice
		lines = slices.Insert(lines, at, lines[at])
	case 2: // two lines swapped
		other := random.IntN(len(lines))
		lines[at], lines[other] = lines[other], lines[at]
	case 3: // deeper, or less deep
		if random.IntN(2) == 0 {
			lines[at] = "  " + lines[at]
		} else {
			lines[at] = strings.TrimPrefix(lines[at], "  ")
		}
	case 4: // another value
		if colon := strings.Index(lines[at], ": "); colon >= 0 {
			lines[at] = lines[at][:colon+2] + values[random.IntN(len(values))] + "\n"
		}
	case 5: // a part within a line
		line := []rune(lines[at])
		place := random.IntN(len(line) + 1)
		lines[at] = string(line[:place]) + parts[random.IntN(len(parts))] + string(line[place:])
	case 6: // a character less
		if line := []rune(lines[at]); len(line) > 1 {
			place := random.IntN(len(line) - 1)
			lines[at] = string(line[:place]) + string(line[place+1:])
		}
	case 7: // cut off
		return text[:len(strings.Join(lines[:at], ""))]
	case 8: // an item or a list of what was none
		lines[at] = []string{"- ", "a: ", "? ", "&x ", "!t "}[random.IntN(5)] + lines[at]
	}
	return strings.Join(lines, "")
}

// Values that are not what they look like.
var values = []string{
	"yes", "No", "on", "~", "null", "", "0644", "0o17", "0x1F", "0b11", "1_000", "08", "1e3", "1.", ".5", "+1", "-0",
	"12:30:45", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "1e400", "=", "<<", ".inf", ".nan", "18446744073709551615",
	"9223372036854775808", "[]", "{}", "[a, b]", "{a: b}", "{a: }", "[,]", "[a,]", "[a: 1]", "\"\"", "''", "'it''s'",
	"\"\\u00e9\\n\\/\"", "\"\\x41\"", "\"\\ud83d\\ude00\"", "|", ">", "|-", "|+", "|2", "&a x", "*a", "!!str 1",
	"!!int \"7\"", "!t 1", "!!binary aGk=", "!!float 1", "!!bool yes", "!!null x", "! 5", "@a", "`a", "%a", "a: b",
	"a #b", "a#b", "- a", "? a", "\"a", "'a", "{{ .Values.a }}", "${A}", "\ta", "a\tb", "\u0007", "\u0085", "\u2028", "\ufeff",
}

// Parts that mean something, alone or side by side.
var parts = []string{
	"a", "b", "y", "0x10", "1.5", "~", ":", ": ", ":\n", "-", "- ", "\n", "\n  ", "\n    ", " ", "  ", "#", " # c", "'", "\"",
	"'x'", "\"x y\"", "|", "|-", "|\n", "|+", ">", ">-\n", "[", "]", "{", "}", ", ", ",", "[a, b]", "{a: 1}", "{}", "[]", "&a ",
	"*a", "*a ", "!t ", "!!int ", "?", "? ", "...", "...\n", "%", "@", "`", "\\", "\\n", "=", "<<", "<<: ", "<<: *a\n", "é", "世", "/",
	".", "/a/*", "x: y", "x: y\n", "a::", "\u0085", "\u2028", "\ufeff", "\t", "\r\n", "\r", "--", "---", "---\n", "\n---\n",
	"8080", "a:b", "http://x", "a#b", "true", "\"a\": 1", "{\"a\": 1}", "{\"a\":[1,2.0,null]}\n", "\u0000", "\u007f",
}

// combine puts parts together in no order.
func combine(seed uint64, count int) []Row {
	random := rand.New(rand.NewPCG(seed, 2))
	var rows []Row
	for len(rows) < count {
		var text strings.Builder
		for range 1 + random.IntN(14) {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		rows = append(rows, row("", text.String()))
	}
	return rows
}
