package main

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// table holds what was thought of, by name.
func table() []Row {
	var rows []Row
	add := func(name string, texts ...string) {
		for _, text := range texts {
			rows = append(rows, row(name, text))
		}
	}
	// Where documents end.
	add("separators", "a: 1\n---\nb: 2\n", "---\na: 1\n", "--- # c\na: 1\n", "---\n---\n---\na: 1\n", "a: 1\n--- foo\nb: 2\n",
		"a: 1\n---\nb: 2\n--- foo\nc: 3\n", "--- {a: 1}\n", "-----\na: 1\n", "---a\n", "a: 1\n---\t\nb: 2\n", "a: 1\n---", "a: \"x\n---\ny\"\n",
		"a: |\n  x\n---\nb: 1\n", " ---\na: 1\n", "a: 1\n...\nb: 2\n", "a: 1\n...\n---\nb: 2\n", "...\na: 1\n", "a: 1\n--- \\\nb: 2\n",
		"# only a comment\n---\na: 1\n", "\n\n\n", "", "---", "---\n", "~\n---\na: 1\n", "%YAML 1.1\n---\na: 1\n", "%YAML 1.2\n---\na: 1\n",
		"---\n%YAML 1.1\n---\na: 1\n", "%TAG ! !x\n---\na: 1\n", "a: 1\r---\rb: 2\r", "a: 1\r\n---\r\nb: 2\r\n", "a: 1\n---\u00a0\nb: 2\n",
		"a: 1\n---\u2028\nb: 2\n", "a: 1\n \n---\n \nb: 2\n", "--- |\n x\n")
	// What is behind the root.
	add("tail", "  a: 1\nb: 2\n", "[a]\nb: 2\n", "a\nb: 2\n", "\"a\"\nb: 2\n", "{a: 1}\nb: 2\n", "- a\nb: 2\n", "  - a\n- b\n", "a: 1\n]\n",
		"  a: 1\n\t\n b: 2\n", "  a: 1\nb\n", "  a: 1\n\"b\n", "  a: 1\n@b\n", "[a] b\n", "[a]]\n", "{}}\n", "'a' 'b'\n", "  a: 1\n%b\n", "&a b\nc: d\n",
		"  a: 1\n b: 2\n", "  a: 1\n---\nb: 2\n", "a\n...\nb\n", "{a: 1} {b: 2}\n", "a: b\n c\nd\n", "- a\n b\nc\n")
	// What plain scalars are.
	for _, value := range values {
		add("scalar", "k: "+value+"\n", "["+value+"]\n")
	}
	add("scalar", "- y\n- Y\n- n\n- N\n- yEs\n- oN\n- tRUE\n- TRUE\n- Null\n- nULL\n", "- 0X1f\n- 0B11\n- -0x10\n- +0o7\n- -010\n- 0_7\n- 1__0\n- 1_\n- _1\n- 0x_f\n- 0b\n- 0x\n- 0o8\n- 0o\n",
		"- 9223372036854775807\n- -9223372036854775808\n- -9223372036854775809\n- 0xffffffffffffffff\n- 0x10000000000000000\n- 18446744073709551616\n- 01777777777777777777777\n",
		"- 1.5\n- 1.5e3\n- 1e+3\n- 1E-3\n- 1.e5\n- .5e1\n- ._5\n- .5_0\n- 1_0.5\n- +.5\n- -.5\n- .e5\n- 1e\n- 1.2.3\n- ..5\n- -\n- +\n- .\n- ++1\n- 0x1p3\n- 1e400\n- .1e400\n- 1e-400\n",
		"- .Inf\n", "- -.INF\n", "- +.inf\n", "- .NaN\n", ".inf: 1\n", "- 0.1e1\n- 00\n- 0\n- -0\n- 0.0\n- -0.0\n- 007.5\n- 08.5\n",
		"- 2001-1-1\n- 2001-01-01 10:00:00\n- 2001-01-01T10:00:00Z\n- 2001-13-01\n- 1:20\n- 1,000\n", "- 'null'\n- \"~\"\n- 'true'\n- \"1\"\n",
		"- NULL\n- ''\n-\n- # c\n- !\n", "- 123456789012345678901234567890\n- 0.30000000000000004\n- 1e22\n- 100000000000000000000000\n")
	// What tags make of them.
	add("tag", "- !!str 1\n- !!str yes\n- !!str\n- !!str ~\n", "- !!int 7\n- !!int \"7\"\n- !!int 0x10\n", "- !!int a\n", "- !!int 1.5\n", "- !!float 1\n- !!float \"2.5\"\n- !!float .5\n",
		"- !!float a\n", "- !!bool yes\n- !!bool \"n\"\n", "- !!bool 1\n", "- !!null\n- !!null ~\n- !!null ''\n", "- !!null x\n", "- !!binary aGk=\n", "- !!binary \"%%\"\n", "- !!timestamp 2001-01-01\n", "- !!timestamp x\n",
		"- !!map {a: 1}\n- !!seq [a]\n", "- !!map a\n", "- !!str {a: 1}\n", "- !!int [1]\n", "- !x 1\n- !x {a: 1}\n", "- ! 1\n- ! '1'\n", "- !<tag:yaml.org,2002:int> '3'\n",
		"- !<x> 3\n", "!!str 1: a\n", "!!int '1': a\n", "- !!set {a, b}\n", "- !!omap [a: 1]\n", "- !!merge <<\n", "!!merge <<: {a: 1}\n", "- !e!x 1\n", "- !!float .inf\n", "- !!python/none x\n", "- !!int\n", "- !!bool\n", "- !!str |\n  x\n")
	// Keys.
	add("key", "y: 1\nn: 2\n", "1: a\n0x10: b\n1.5: c\n1e3: d\n1.10: e\n", "1e6: a\n1e5: b\n1e-4: c\n0.00001: d\n123456789.5: e\n1e21: f\n0.1: g\n16777217.0: h\n3.4e39: i\n-1e6: j\n", "~: a\n", ": a\n", "null: a\n", "? a\n: b\n", "? a\n", "? [a]\n: b\n", "? {a: 1}\n: b\n",
		"[a]: b\n", "{a: 1}: b\n", "{[a]: b}\n", "\"\": a\n", "'a b': c\n", "a b: c\n", "a: 1\na: 2\n", "{a: 1, a: 2}\n", "a: 1\n\"a\": 2\n'a': 3\n", "\"a\":1\n", "{\"a\":1}\n", "{a:1}\n", "{a:}\n", "{a: }\n", "{a}\n", "{a, b: }\n", "[a: 1, b: 2]\n", "[? a : b]\n", "{? a}\n", "18446744073709551615: a\n",
		"<<: 1\n", "2001-01-01: a\n", ".inf: a\n.nan: b\n", "|\n a: b\n", "!!binary aGk=: a\n", "&a a: *a\n", "*a : b\n", "- &a x\n- *a : y\n", "a:: b\n", ":a: b\n", "a :b: c\n", "-a: b\n", "?a: b\n", "a?: b\n", "@: a\n", "a: b: c\n", "a: - b\n", "a: b\n  c: d\n", "a:\n- b\nc: d\n", "a:\n - b\n- c\n", "a:\n  b: 1\n c: 2\n", "\"a\nb\": c\n", "a\nb: c\n", strings.Repeat("k", 1024)+": a\n", strings.Repeat("k", 1025)+": a\n", "\""+strings.Repeat("k", 1022)+"\": a\n", "\""+strings.Repeat("k", 1030)+"\": a\n", "{"+strings.Repeat("k", 1030)+": a}\n", "["+strings.Repeat("k", 1030)+"]\n")
	// Anchors, aliases, merge keys.
	add("alias", "a: &x 1\nb: *x\n", "a: &x [*x]\n", "a: *x\n", "a: &x 1\nb: &x 2\nc: *x\n", "- &x {a: 1}\n- *x\n", "- &x-1.b a\n- *x-1.b\n", "- &x, a\n", "- &x\n- *x\n", "a: &x\n  b: 1\nc: *x\n", "&x a: 1\nb: *x\n", "- &é a\n", "- & a\n", "- * a\n", "- &x &y a\n", "- &x *y\n", "- &x !!str 1\n- *x\n", "- !!str &x 1\n- *x\n", "a: &x {b: &y 1}\nc: [*x, *y]\n", "- *x\n- &x 1\n", "a: &a\n  b: *a\n", "&r [*r]\n", "a: &x 1\n---\nb: *x\n", "[&x a, *x]\n", "[*x]\n", "{a: &x 1, b: *x}\n", "{a: *x}\n", "- &x a: 1\n  b: *x\n")
	add("merge", "b: &b {x: 1, y: 2}\na:\n  <<: *b\n  x: 3\n", "b: &b {x: 1, y: 2}\na:\n  x: 3\n  <<: *b\n", "a: {<<: {x: 1}, x: 2}\n", "a: {x: 2, <<: {x: 1}}\n", "a: {<<: [{x: 1}, {x: 2, y: 3}]}\n", "a: {<<: [{x: 1}, 5]}\n", "a: {<<: 5}\n", "a: {<<: }\n", "a: {<<: []}\n", "a: {<<: [[{x: 1}]]}\n",
		"a: &a {<<: *a}\n", "a: &a {b: {<<: *a}}\n", "b: &b [{x: 1}]\na: {<<: *b}\n", "b: &b [{x: 1}]\na: {<<: [*b]}\n", "b: &b {x: {y: 1}}\na: {<<: *b, x: {z: 2}}\n", "a: {\"<<\": {x: 1}}\n", "a: {'<<': {x: 1}, x: 2}\n", "a: {<<: {x: 1}, <<: {x: 2, y: 3}}\n", "x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y, a: 3}\n", "- <<\n", "a: <<\n", "a: {! <<: {x: 1}}\n", "a: {!!str <<: {x: 1}}\n", "b: &b {x: 1}\na:\n  <<: *b\n  <<: *b\n", "a: {<<: {x: 1, x: 2}}\n", "a: {<<: {~: 1}}\n", "b: &b 5\na: {<<: *b}\n", "<<: {a: 1}\n", "a: {? << : {x: 1}}\n", "a: {<<: {<<: {x: 1}, y: 2}}\n", "a: &l\n- {<<: {x: 1}}\nb: *l\n")
	// Several values of JSON in one file.
	add("json", "{}{}", "{\"a\":1}{\"b\":2}", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n---\n{\"b\":2}\n", "{\"a\":1}\n---\nb: 2\n", "{\"a\":1}{\"b\":2}\n---\nc: 3\n", "{\"a\":1}\n{\"b\":2}\n{\"c\":\n", "{\"a\":1}\nb: 2\n", "{\"a\":1} # c\nb: 2\n", "{\"a\":1},\n{\"b\":2}\n", "{\"a\":1}}\n", "{\"a\":1}\n[1]\n5\n\"x\"\nnull\ntrue\n", "{\"a\":1}garbage\n", "{\"a\":1}\n\n\ngarbage: 1\n",
		"  \n\t{\"a\":1}\n", "{\n\t\"a\": {\n\t\t\"b\": [\n\t\t\t1\n\t\t]\n\t}\n}\n", "{\"a\":\"\\/\\u00e9\\ud83d\\ude00\\b\\f\"}\n", "{\"a\":\"\\ud83d\"}\n", "{\"a\":\"\\ude00x\"}\n", "{\"a\":\"\\x41\"}\n", "{\"a\":1,}\n", "{'a':1}\n", "{a: 1}\n{b: 2}\n", "{a: 1}\n---\n{\"b\": 2}\n{\"c\": 3}\n", "{\"a\":1,\"a\":2}\n", "{\"a\":1e3,\"b\":1.0,\"c\":-0,\"d\":12345678901234567890,\"e\":1E400}\n", "{\"a\":1e400}\n{\"b\":1}\n", "{\"a\":01}\n", "{\"a\":.5}\n", "{\"a\":+1}\n", "{\"a\":NaN}\n", "{\"a\":\"x\ny\"}\n", "{\"a\":\"x\ty\"}\n", "{\"a\":\"\u0001\"}\n", "{\"a\":\"\u007f\u0085\u2028\"}\n", "{\"a\":null}\n", "[{\"a\":1}]\n[{\"b\":1}]\n", "\"a\"\n\"b\"\n", "{\"y\":1,\"1\":2,\"<<\":{\"a\":1}}\n", "{\"a\":1}\n# c\n{\"b\":2}\n", "{\"a\":1}\n---\n{\"b\":2}{\"c\":3}\n", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":[1,2", "{\"a\":1}\r\n{\"b\":2}\r\n", "{\"a\":1}\n{\"b\":2}\n\n", "{\"a\":1}\n{\"b\":2}\nc: 3\n", "{\"a\":1}\ufeff{\"b\":2}\n", "{\"a\": // c\n1}\n", "{\"\":1}\n", "{\"a\" :1 , \"b\": [ ] , \"c\" :{ } }\n", "{\"a\":tru}\n", "{\"a\":1} ---\nb: 1\n", "{\"a\":1}\n---\n---\n{\"b\":1}\n", "{\"a\":1}---\nb: 1\n", "{\"a\": {\"b\": \"---\"}}\n", "{\"a\":\n---\n1}\n",
		"{\"a\":1}\n\n---\nb: 1\n", "{\"a\":1}  \n  b: 1\n", "{\""+strings.Repeat("k", 2000)+"\": 1}\n")
	// Texts over several lines, quotes and escapes.
	add("text", "a: |\n  x\n   y\n\n  z\n", "a: |+\n  x\n\n\nb: 1\n", "a: |-\n  x\n\n", "a: >\n  x\n  y\n\n  z\n   w\n", "a: >-\n  x\n\n\n", "a: |2\n   x\n", "a: |1\n  x\n", "a: |0\n x\n", "a: |\n", "a: |", "a: |\n\n\n", "a: | # c\n  x\n", "a: |x\n  y\n", "a: |\nb: 1\n", "a: |\n\tx\n", "a: |\n  x\n\ty\n", "a: |\n  x", "a: >\n  x", "a: |\n    \n  x\n", "a: |\n  x\n    \n  \n", "a: x\n  y\n\n  z\n", "a: x\n  # c\n  y\n", "a: \"x\n  y\n\n  z\"\n", "a: 'x\n  y'\n", "a: \"x\\\n  y\"\n", "a: \"\\n\\t\\\\\\\"\\0\\a\\e\\_\\N\\L\\P\\x41\\u0041\\U00000041\"\n", "a: \"\\q\"\n", "a: \"\\u12\"\n", "a: \"\\ud800\"\n", "a: \"\\U00110000\"\n", "a: 'a''b'\n", "a: 'a\\'b'\n", "a: \"x\n---\ny\"\n", "a: \"\t\"\n", "- |\n x\n- >\n y\n", "a: |\r\n  x\r\n  y\r\n", "a: \"x\r\n  y\"\r\n", "a: |\n  x\u0085  y\n", "a: x\u0085b: y\n", "a: x\u2028b: y\n", "a: |\n # x\n", "a: |\n  x\n # c\nb: 1\n", "- - |\n  x\n", "a: 'x\ny'\n", "a: \"x\ny\"\n", "a: |+2\n   x\n", "a: |2+\n   x\n", "a: |-+\n  x\n", "a: |\n  x\n ---\n", "a: |9\n  x\n", "a: >\n\n  x\n   y\n  z\n", "a: >\n  x\n\n   y\n\n  z\n")
	// Bytes that mean something by themselves.
	add("bytes", "a: \u0000\n", "a: x\u0007\n", "a: \u007f\n", "a: \u0080\n", "a: \u0085\n", "a: \u00a0\n", "a: \ufeff\n", "\ufeffa: 1\n", "\ufeff---\na: 1\n", "\ufeff--- foo\na: 1\n", "a: 1\n---\n\ufeffb: 2\n", "\ufeff{\"a\":1}{\"b\":2}", "\ufeff\ufeffa: 1\n", "a: \ufffe\n", "a: \uffff\n", "a: \U0001F600\n", "a: \ufffd\n", "\ta: 1\n", "a:\t1\n", "a:\n\t- 1\n", "a: [\n\t1]\n", "a: {\n\tb: 1}\n", "- a\n-\tb\n", "-\ta: 1\n", "a: 1\t# c\n", "a: 1\t\n", "\t\n", "\t# c\na: 1\n", "a: 1\n\t\nb: 2\n", "a:\n  b: 1\n\t\n  c: 2\n", "a: x\ty\n", "?\ta\n:\tb\n", "a\t: 1\n", "a: 1\rb: 2\r", "a: 1\r\n\r\nb: 2", "# c\ra: 1\n", "\u0001a: 1\n", "# \u0001\na: 1\n", "# \u0000\na: 1\n", "a: 1 \u2029b: 2\n", "\u000ca: 1\n", "a: \u00ad\u200b\n", "a: \"\u0001\"\n", "a: 1\n---\nb: \u0000\n---\nc: 1\n", "\u001b[31ma: 1\n",
		"a: caf\xe9\n", "# caf\xe9\na: 1\n", "a: \xc3\n", "a: \xf0\x9f\x98\n", "a: \xed\xa0\x80\n", "a: \xc0\xaf\n", "a: \xff\xff\n", "a: 1\n---\n# \xe9\xe8\nb: 2\n", "caf\xe9: 1\n", "{\"a\":\"\xe9\"}\n", "a: \xf8\x88\x80\x80\x80\n", "a: \xe4\xb8x\n")
	for _, text := range []string{"a: é\n", "a: 1\n---\nb: 2\n", "a: 1", "a: \U0001F600\r\n", "{\"a\":1}{\"b\":2}", "a: \u0000\n", ""} {
		for _, order := range []string{"little", "big"} {
			for _, mark := range []bool{true, false} {
				rows = append(rows, Row{Name: "utf-16", Base64: base64.StdEncoding.EncodeToString(wide(text, order == "big", mark))})
			}
		}
	}
	rows = append(rows, Row{Name: "utf-16", Base64: base64.StdEncoding.EncodeToString([]byte("\xff\xfea\x00:\x00 \x001"))},
		Row{Name: "utf-16", Base64: base64.StdEncoding.EncodeToString([]byte("\xff\xfea\x00:\x00 \x00\x3d\xd8x\x00\n\x00"))},
		Row{Name: "utf-16", Base64: base64.StdEncoding.EncodeToString([]byte("\xfe\xff"))})
	// Objects as kubectl sees them.
	add("braces", "a: {{ .Values.a }}\n", "{{- if .Values.a }}\na: 1\n{{- end }}\n", "a: \"{{ .Values.a }}\"\n", "a: ${A}\n", "a: {{ x }}-b\n", "# {{ a }}\na: 1\n", "{{ a }}\n", "{% if a %}\n", "- {{ a }}: b\n", "a: b{{ c }}\n", "a: [${A}, $(B)]\n", "{{a}}: 1\n", "{{a}: 1}\n", "[[a]]: b\n")
	return append(rows, large()...)
}

// large holds what is long, as runs of texts.
func large() []Row {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for level := 1; level < 12; level++ {
		name := string(rune('a' + level - 1))
		before := "a0"
		if level > 1 {
			before = string(rune('a' + level - 2))
		}
		bomb += "b" + name + ": &" + name + " [" + strings.TrimSuffix(strings.Repeat("*"+before+", ", 9), ", ") + "]\n"
	}
	rows := []Row{row("bomb", bomb)}
	add := func(name string, runs ...Run) { rows = append(rows, Row{Name: name, Runs: runs}) }
	add("deep", Run{"[", 100}, Run{"]", 100})
	add("deep", Run{"[", 254}, Run{"]", 254})
	add("deep", Run{"[", 100000})
	add("deep", Run{"[", 100000}, Run{"]", 100000})
	add("deep", Run{"{a: ", 100000})
	add("deep", Run{"- ", 100000})
	add("deep", Run{"? ", 100000})
	add("deep", Run{"{\"a\":", 100000}, Run{"1", 1}, Run{"}", 100000})
	add("deep", Run{"{\"a\":", 200}, Run{"1", 1}, Run{"}", 200})
	add("ratio", Run{"a: &a [", 1}, Run{"x, ", 1000}, Run{"x]\nb: [", 1}, Run{"*a, ", 90}, Run{"*a]\n", 1})
	add("ratio", Run{"a: &a [", 1}, Run{"x, ", 1000}, Run{"x]\nb: [", 1}, Run{"*a, ", 97}, Run{"*a]\n", 1})
	add("ratio", Run{"a: &a [", 1}, Run{"x, ", 1000}, Run{"x]\nb: [", 1}, Run{"*a, ", 200}, Run{"*a]\n", 1})
	add("ratio", Run{"a: &a [", 1}, Run{"x, ", 5000}, Run{"x]\nb: [", 1}, Run{"*a, ", 80}, Run{"*a]\n", 1})
	add("ratio", Run{"a: &a [", 1}, Run{"x, ", 5000}, Run{"x]\nb: [", 1}, Run{"*a, ", 120}, Run{"*a]\n", 1})
	add("ratio", Run{"a: &a 1\nb: [", 1}, Run{"*a, ", 900}, Run{"*a]\n", 1})
	add("ratio", Run{"a: &a 1\nb: [", 1}, Run{"*a, ", 99999}, Run{"*a]\n", 1})
	add("ratio", Run{"a: &a {b: 1}\n", 1}, Run{"", 1}, Run{"? x\n", 0}, Run{"c: [", 1}, Run{"{<<: *a}, ", 5000}, Run{"{}]\n", 1})
	add("long", Run{"a: ", 1}, Run{"x", 1 << 20}, Run{"\n", 1})
	add("long", Run{"a: \"", 1}, Run{"x ", 1 << 19}, Run{"\"\n", 1})
	add("long", Run{"", 1}, Run{"k", 1 << 20}, Run{": 1\n", 1})
	add("long", Run{"#", 1 << 20}, Run{"\na: 1\n", 1})
	add("long", Run{"a: |\n", 1}, Run{"  x\n", 1 << 17})
	add("many", Run{"a: 1\n---\n", 10000})
	add("many", Run{"---\n", 100000})
	add("many", Run{"{\"a\":1}\n", 10000})
	add("many", Run{"# c\n", 1000}, Run{"a: 1\n", 1})
	add("many", Run{"a: [1,\n", 1}, Run{"# c\n", 200}, Run{"2]\n", 1})
	return rows
}

// wide is a text in UTF-16.
func wide(text string, big, mark bool) []byte {
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var out []byte
	for _, unit := range units {
		if big {
			out = append(out, byte(unit>>8), byte(unit))
		} else {
			out = append(out, byte(unit), byte(unit>>8))
		}
	}
	return out
}
