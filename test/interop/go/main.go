// Foreign verifiers of one log: the checksum database's own library, and Tessera's fsck.
//
//	foreign sumdb LOG VKEY OLD   checkpoint, every tile and entry, inclusion and consistency with an older checkpoint
//	foreign fsck LOG VKEY        Tessera's integrity check
//
// LOG is a folder or a URL, VKEY and OLD are files. Ends with 0 if all holds.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("usage: foreign sumdb|fsck LOG VKEY [OLD]"))
	}
	verifier, err := verifierIn(os.Args[3])
	if err != nil {
		fail(err)
	}
	switch {
	case os.Args[1] == "fsck":
		err = runFsck(os.Args[2], verifier)
	case os.Args[1] == "sumdb" && len(os.Args) == 5:
		err = runSumdb(os.Args[2], verifier, os.Args[4])
	default:
		err = fmt.Errorf("no such verifier: %s", os.Args[1])
	}
	if err != nil {
		fail(err)
	}
	fmt.Println("accepted")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func verifierIn(file string) (note.Verifier, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(strings.TrimSpace(string(text)))
}

func runFsck(log string, verifier note.Verifier) error {
	var source fsck.Fetcher = client.FileFetcher{Root: log}
	if isURL(log) {
		root, err := url.Parse(log)
		if err != nil {
			return err
		}
		if source, err = client.NewHTTPFetcher(root, http.DefaultClient); err != nil {
			return err
		}
	}
	return fsck.New(verifier.Name(), verifier, source, leafHashes, fsck.Opts{N: 4}).Check(context.Background())
}

func leafHashes(bundle []byte) ([][]byte, error) {
	entries := &api.EntryBundle{}
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(entries.Entries))
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

func isURL(log string) bool { return strings.HasPrefix(log, "http://") }
