"""What `match.pdq` stands beside: FAISS' multi-hash over the same hashes, on one thread, with exact recall.

Takes the files of hashes and of queries, 32 bytes each, and the number of queries that a round asks. Each line of
standard input is the first query of a round; answers the seconds it took and how many hashes were within 31 bits.
"""

import sys
import time

import faiss
import numpy

BITS = 256
# FAISS answers what is nearer than its radius.
RADIUS = 32
TRIED = 40

hashes, queries = (numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, 32) for path in sys.argv[1:3])
count = int(sys.argv[3])
faiss.omp_set_num_threads(1)


def multi_hash(tables, bits, flips):
    """Exact for 31 bits where tables * (flips + 1) > 31."""
    index = faiss.IndexBinaryMultiHash(BITS, tables, bits)
    index.nflip = flips
    index.add(hashes)
    return index


def ask(index, some):
    began = time.perf_counter()
    limits, _, _ = index.range_search(some, RADIUS)
    return time.perf_counter() - began, int(limits[-1])


# The faster of both ways, whichever that is on this machine.
indexes = [multi_hash(16, 16, 1), multi_hash(12, 21, 2)]
best = min(indexes, key=lambda index: ask(index, queries[:TRIED])[0])
print(f"ready {faiss.__version__} {best.storage.ntotal}", flush=True)
for line in sys.stdin:
    first = int(line)
    seconds, found = ask(best, queries[first : first + count])
    print(f"{seconds} {found}", flush=True)
