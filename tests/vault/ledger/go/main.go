// An independent verifier of the ledger's files: Go's own sumdb/note and sumdb/tlog, none of our code.
//
//	verify KEY checkpoint FILE
//	verify KEY proof FILE                  a C2SP tlog-proof file that carries its leaf
//	verify KEY consistency OLD NEW PROOF   two checkpoints, and a file with one base64 hash a line
//	verify KEY witness FILE                the body of a tlog-witness request
//
// It ends with 0 and prints the size if everything holds, with 1 and the reason if not.
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const magic = "c2sp.org/tlog-proof@v1"

type tree struct {
	size int64
	root tlog.Hash
}

func main() {
	size, err := verify(os.Args[1:])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(size)
}

func verify(args []string) (int64, error) {
	if len(args) < 3 {
		return 0, errors.New("usage: verify KEY checkpoint|proof|consistency|witness FILE...")
	}
	key, err := note.NewVerifier(args[0])
	if err != nil {
		return 0, err
	}
	var files []string
	for _, name := range args[2:] {
		raw, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		files = append(files, string(raw))
	}
	switch {
	case args[1] == "checkpoint" && len(files) == 1:
		found, err := open(key, files[0])
		return found.size, err
	case args[1] == "proof" && len(files) == 1:
		return proof(key, files[0])
	case args[1] == "consistency" && len(files) == 3:
		return consistency(key, files[0], files[1], files[2])
	case args[1] == "witness" && len(files) == 1:
		return witness(key, files[0])
	}
	return 0, errors.New("no such check")
}

// open reads the three lines itself: tlog.ParseTree takes its own tree's name only.
func open(key note.Verifier, text string) (tree, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(key))
	if err != nil {
		return tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != key.Name() {
		return tree{}, errors.New("not three lines of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tree{}, errors.New("the size is no number")
	}
	root, err := tlog.ParseHash(lines[2])
	return tree{size, root}, err
}

func proof(key note.Verifier, text string) (int64, error) {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != magic {
		return 0, errors.New("not a proof file")
	}
	if !strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return 0, errors.New("no extra or index line")
	}
	leaf, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return 0, err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return 0, err
	}
	path, err := hashes(lines[3:])
	if err != nil {
		return 0, err
	}
	at, err := open(key, checkpoint)
	if err != nil {
		return 0, err
	}
	if index < 0 || index >= at.size {
		return 0, errors.New("the index is outside the tree")
	}
	return at.size, tlog.CheckRecord(path, at.size, at.root, index, tlog.RecordHash(leaf))
}

func consistency(key note.Verifier, old, new, path string) (int64, error) {
	before, err := open(key, old)
	if err != nil {
		return 0, err
	}
	after, err := open(key, new)
	if err != nil {
		return 0, err
	}
	steps, err := hashes(strings.Fields(path))
	if err != nil {
		return 0, err
	}
	return after.size, check(before, after, steps)
}

func check(before, after tree, steps []tlog.Hash) error {
	if before.size < 1 || before.size > after.size {
		return errors.New("nothing leads from this size to that")
	}
	return tlog.CheckTree(steps, after.size, after.root, before.size, before.root)
}

func witness(key note.Verifier, text string) (int64, error) {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || !strings.HasPrefix(lines[0], "old ") {
		return 0, errors.New("not the request to a witness")
	}
	if _, err := strconv.ParseUint(lines[0][4:], 10, 63); err != nil {
		return 0, err
	}
	if _, err := hashes(lines[1:]); err != nil {
		return 0, err
	}
	at, err := open(key, checkpoint)
	return at.size, err
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, line := range lines {
		one, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}
