// Says which expressions, one JSON string a line, Go's regexp accepts: istiod validates with it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		var source string
		if err := json.Unmarshal(lines.Bytes(), &source); err != nil {
			panic(err)
		}
		_, err := regexp.Compile(source)
		fmt.Fprintln(out, err == nil)
	}
}
