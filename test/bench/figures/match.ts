import { randomBytes, randomFillSync, randomInt } from 'node:crypto'
import { pdqThread } from '../../../src/client/pdq-thread.ts'
import { buildTable, openTable, slotsFor, tableBytes } from '../../../src/matching/exact.ts'
import { createPdqIndex, PDQ_BYTES } from '../../../src/matching/pdq.ts'
import { drawSecret, KEY_BYTES } from '../../../src/matching/tag.ts'
import type { FaissProcess } from '../faiss.ts'
import { type Row, type Run, rowOf, type Spec } from '../measure.ts'

const LOOKUPS = 2_000_000
/** Of the look-ups, and of questions for PDQ hashes. */
const HITS = 0.1
const ENTRIES_A_SIGNAL = 10

/** Random bytes, of any number. */
function randomly(bytes: number): Uint8Array {
  const all = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += 2 ** 30) randomFillSync(all.subarray(at, Math.min(bytes, at + 2 ** 30)))
  return all
}

/** Keys asked for: some that are there, in no order, the rest not. */
function asking(keys: Uint8Array, n: number): Uint8Array {
  const asked = randomly(n * KEY_BYTES)
  const all = keys.length / KEY_BYTES
  for (let i = 0; i < n * HITS; i++) {
    const from = randomInt(all) * KEY_BYTES
    asked.set(keys.subarray(from, from + KEY_BYTES), Math.floor(i / HITS) * KEY_BYTES)
  }
  return asked
}

/** The table of a match file, ten times as large as the signals, on one thread; beside it what one would take instead. */
export function matchExact({ signals }: { signals: number }): Spec {
  const n = ENTRIES_A_SIGNAL * signals
  const made = lazily(() => {
    const keys = randomly(n * KEY_BYTES)
    const secret = drawSecret(() => randomBytes(4).readUInt32LE())
    const entries = Uint32Array.from({ length: n }, (_, i) => i)
    const asked = asking(keys, LOOKUPS)
    const map = new Map<string, number>()
    for (let i = 0; i < n; i++) map.set(hexAt(keys, i), i)
    const names = Array.from({ length: LOOKUPS }, (_, i) => hexAt(asked, i))
    return {
      table: openTable(buildTable({ bytes: keys, stride: KEY_BYTES }, entries, secret), secret),
      asked,
      map,
      names,
    }
  })
  return {
    name: 'match.exact',
    what: `look-ups of 32-byte keys among ${n.toLocaleString('en')}, 10 % of them there, on one core`,
    unit: 'lookups/s',
    target: 3_000_000,
    absolute: true,
    rounds: 5,
    warmups: 1,
    measured: async (timed) => {
      const { table, asked } = made()
      let found = 0
      const count = (): void => {
        found += 1
      }
      const { seconds } = await timed(async () => table.find(asked, () => true, count))
      if (found < LOOKUPS * HITS) throw new Error(`${found} of the keys were found`)
      return LOOKUPS / seconds
    },
    reference: {
      what: 'a Map by keys that are hex already',
      run: async (timed) => {
        const { map, names } = made()
        let found = 0
        const { seconds } = await timed(async () => {
          for (const name of names) if (map.has(name)) found += 1
        })
        if (found < LOOKUPS * HITS) throw new Error(`${found} of the keys were found`)
        return LOOKUPS / seconds
      },
    },
  }
}

const hexAt = (keys: Uint8Array, i: number): string =>
  Buffer.from(keys.buffer, i * KEY_BYTES, KEY_BYTES).toString('hex')

/** What a key takes in memory; the records are read from the disk where one matches. */
export const exactBytes = ({ cpu }: Row, signals: number): Row =>
  rowOf(
    {
      ...{ name: 'match.exact.bytes', what: 'memory of the table, by key', unit: 'bytes', target: 24, less: true },
    },
    {
      values: [tableBytes(slotsFor(ENTRIES_A_SIGNAL * signals)) / (ENTRIES_A_SIGNAL * signals)],
      ...{ references: [], measured: cpu.measured, reference: cpu.measured },
    },
  )

/** Sets of hashes, and of what pictures questions are asked about. */
const SETS = {
  random: (n: number): Uint8Array => randomly(n * PDQ_BYTES),
  /** Of 1,000 pictures, each with many versions that differ in up to 60 bits. */
  clustered: (n: number): Uint8Array => {
    const pictures = randomly(1_000 * PDQ_BYTES)
    const all = new Uint8Array(n * PDQ_BYTES)
    for (let i = 0; i < n; i++) {
      const of = randomInt(1_000) * PDQ_BYTES
      all.set(turned(pictures.subarray(of, of + PDQ_BYTES), randomInt(61)), i * PDQ_BYTES)
    }
    return all
  },
  /** Half of the bits are set in a tenth of the hashes only: buckets are long. */
  skewed: (n: number): Uint8Array => {
    const all = randomly(n * PDQ_BYTES)
    for (let i = 0; i < n; i++) {
      if (i % 10 === 0) continue
      for (let byte = 0; byte < PDQ_BYTES; byte++) all[i * PDQ_BYTES + byte] = (all[i * PDQ_BYTES + byte] ?? 0) & 0x55
    }
    return all
  },
} as const
export type PdqSet = keyof typeof SETS

function turned(hash: Uint8Array, n: number): Uint8Array {
  const out = Uint8Array.from(hash)
  for (let i = 0; i < n; i++) {
    const bit = randomInt(256)
    out[bit >> 3] = (out[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  }
  return out
}

/** Questions of a round, and of how many rounds there are different ones. */
const ASKED = 4_000
const ROUNDS = 6
/** Of those the ones that slower sides are asked. */
const FEWER = 100

interface PdqWorld {
  hashes: Uint8Array
  queries: Uint8Array
}

const worldOf = (set: PdqSet, n: number): PdqWorld => {
  const hashes = SETS[set](n)
  const queries = SETS[set](ASKED * ROUNDS)
  for (let i = 0; i < ASKED * ROUNDS * HITS; i++) {
    const from = randomInt(n) * PDQ_BYTES
    queries.set(turned(hashes.subarray(from, from + PDQ_BYTES), randomInt(32)), Math.floor(i / HITS) * PDQ_BYTES)
  }
  return { hashes, queries }
}

/** PDQ hashes within 31 bits, all of them, through the thread that a matcher has. */
export function matchPdq({ signals, set }: { signals: number; set: PdqSet }): Spec {
  const made = lazily(() => {
    const world = worldOf(set, signals)
    return { ...world, thread: pdqThread(world.hashes), scan: createPdqIndex(world.hashes, []) }
  })
  const { name, target, asked } = PDQ_TARGETS[set]
  return {
    ...{ name, target, absolute: set === 'random', rounds: 5, warmups: 1, unit: 'queries/s' },
    what: `PDQ hashes within 31 bits among ${signals.toLocaleString('en')}, ${set}, every one of them, by one thread`,
    measured: searching(made, asked),
    reference: {
      what: 'a scan of all of them by popcount in WebAssembly',
      run: async (timed) => {
        const { scan, queries } = made()
        const { seconds } = await timed(async () => {
          for (let i = 0; i < FEWER; i++) scan.scan(queryAt(queries, i))
        })
        return FEWER / seconds
      },
    },
  }
}

const PDQ_TARGETS: Readonly<Record<PdqSet, { name: string; target: number; asked: number }>> = {
  random: { name: 'match.pdq', target: 8_000, asked: ASKED },
  clustered: { name: 'match.pdq.clustered', target: 1, asked: ASKED },
  // Nothing is faster than a scan there; the index must not be slower by much.
  skewed: { name: 'match.pdq.skewed', target: 0.9, asked: FEWER },
}

function searching(made: () => PdqWorld & { thread: ReturnType<typeof pdqThread> }, asked = ASKED): Run {
  let round = 0
  return async (timed) => {
    const { thread, queries } = made()
    const from = (round % ROUNDS) * ASKED
    round += 1
    const { seconds } = await timed(() =>
      Promise.all(Array.from({ length: asked }, (_, i) => thread.search(queryAt(queries, from + i)))),
    )
    return asked / seconds
  }
}

/** The same beside FAISS over the same hashes: each round both must find as many. */
export function matchPdqFaiss({ signals, faiss }: { signals: number; faiss: FaissProcess }): Spec {
  const made = lazily(() => {
    const world = worldOf('random', signals)
    return { ...world, thread: pdqThread(world.hashes) }
  })
  let round = 0
  return {
    name: 'match.pdq.faiss',
    what: `PDQ hashes within 31 bits among ${signals.toLocaleString('en')}, random, by one thread`,
    ...{ unit: 'queries/s', target: 10, rounds: 5, warmups: 1 },
    measured: searching(made),
    reference: {
      what: "FAISS' IndexBinaryMultiHash with exact recall, one thread",
      run: async (timed) => {
        const { thread, ...world } = made()
        const beside = await faiss.open({ ...world, count: FEWER })
        const first = (round % ROUNDS) * ASKED
        round += 1
        const { result } = await timed(() => beside.ask(first))
        const own = await Promise.all(
          Array.from({ length: FEWER }, (_, i) => thread.search(queryAt(world.queries, first + i))),
        )
        const found = own.reduce((sum, { hits }) => sum + hits.length, 0)
        if (found !== result.found) throw new Error(`FAISS found ${result.found} hashes, we ${found}`)
        return FEWER / result.seconds
      },
    },
  }
}

const queryAt = (queries: Uint8Array, i: number): Uint8Array => queries.subarray(i * PDQ_BYTES, (i + 1) * PDQ_BYTES)

/** What takes long to make is made by the warm-up. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
