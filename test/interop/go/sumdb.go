package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Hashes of a full tile are 2^8.
const height = 8

func runSumdb(log string, verifier note.Verifier, old string) error {
	read := readerOf(log)
	text, err := read("checkpoint")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(text, verifier)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	tiles := &tileReader{read: read, known: map[tlog.Tile][]byte{}}
	hashes := tlog.TileHashReader(tree, tiles)
	for n := int64(0); n*256 < tree.N; n++ {
		if err := checkBundle(read, hashes, tree, n); err != nil {
			return err
		}
	}
	if err := checkInclusion(hashes, tree); err != nil {
		return err
	}
	return checkConsistency(hashes, tree, verifier, old)
}

// openCheckpoint reads origin, size and root of a note that the verifier signed.
func openCheckpoint(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// checkBundle holds every entry of a bundle against the tree.
func checkBundle(read func(string) ([]byte, error), hashes tlog.HashReader, tree tlog.Tree, n int64) error {
	width := min(tree.N-n*256, 256)
	path := pathOf(tlog.Tile{H: height, L: -1, N: n, W: int(width)})
	bundle, err := read(path)
	if err != nil {
		return err
	}
	indexes := make([]int64, width)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, n*256+int64(i))
	}
	leaves, err := hashes.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for i, leaf := range leaves {
		if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
			return fmt.Errorf("%s ends within entry %d", path, i)
		}
		length := 2 + int(binary.BigEndian.Uint16(bundle))
		if tlog.RecordHash(bundle[2:length]) != leaf {
			return fmt.Errorf("%s: entry %d is not in the tree", path, i)
		}
		bundle = bundle[length:]
	}
	if len(bundle) != 0 {
		return fmt.Errorf("%s has more than %d entries", path, width)
	}
	return nil
}

func checkInclusion(hashes tlog.HashReader, tree tlog.Tree) error {
	for _, n := range []int64{0, 1, 255, 256, 65535, 65536, tree.N / 3, tree.N - 2, tree.N - 1} {
		leaves, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		if err != nil {
			return err
		}
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaves[0]); err != nil {
			return fmt.Errorf("inclusion of %d: %w", n, err)
		}
	}
	return nil
}

func checkConsistency(hashes tlog.HashReader, tree tlog.Tree, verifier note.Verifier, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	old, err := openCheckpoint(text, verifier)
	if err != nil {
		return fmt.Errorf("old checkpoint: %w", err)
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

type tileReader struct {
	read  func(string) ([]byte, error)
	known map[tlog.Tile][]byte
}

func (r *tileReader) Height() int { return height }

func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		if data[i] = r.known[tile]; data[i] != nil {
			continue
		}
		var err error
		if data[i], err = r.read(pathOf(tile)); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// SaveTiles gets what was verified.
func (r *tileReader) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for i, tile := range tiles {
		r.known[tile] = data[i]
	}
}

// pathOf is C2SP's form: without the height, and bundles under entries.
func pathOf(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

func readerOf(log string) func(string) ([]byte, error) {
	if !isURL(log) {
		return func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(log, path)) }
	}
	return func(path string) ([]byte, error) {
		answer, err := http.Get(log + "/" + path)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", path, answer.Status)
		}
		return io.ReadAll(answer.Body)
	}
}
