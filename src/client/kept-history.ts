import {
  closeSync,
  createReadStream,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { equal, fromBase64Url, toBase64Url } from '../kernel/bytes.ts'
import { writeDurably } from '../kernel/durable.ts'
import { StartRefused } from '../kernel/errors.ts'
import { logIdOf } from '../provenance/origin.ts'
import type { Client } from './client.ts'
import { VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import { lockOf } from './heads.ts'
import { type ChainOf, type ChainPlace, chainEntries, chainStart, type HistoryEntry, history } from './history.ts'
import { linesOf } from './lines.ts'
import type { KeptHead } from './verify.ts'

/** The verified chain in a participant's folder: `history/<log>/chain.ndjson`, and how far it goes. */
export interface KeptHistory {
  /** The last link that was verified, and the size of the log that it was verified under. */
  readonly place: ChainPlace & { size: bigint }
  /**
   * Takes what the chain has further, verifies and keeps it; answers how many links. One process of a home does so at a time: throws
   * `home-in-use` while another one goes on doing it.
   */
  extend(client: Pick<Client, 'chain' | 'tile'>, head: KeptHead): Promise<number>
  /** Every link that is kept, its chain computed anew from the first. Throws `VerificationFailed` where the file was changed. */
  entries(): AsyncGenerator<HistoryEntry>
}

/** As it stands in `place.json` beside it. */
interface Place {
  origin: string
  party: string
  seq: string
  link: string
  index: string
  size: string
  bytes: number
}

/** Links between two flushes of the file. */
const FLUSH_EVERY = 256

export function openHistory(home: string, of: ChainOf): KeptHistory {
  // Each log has chains of its own.
  const dir = join(home, 'history', String(logIdOf(of.origin)))
  const file = join(dir, 'chain.ndjson')
  const placeFile = join(dir, 'place.json')
  const noted = () => {
    const text = readIfThere(placeFile)
    return text === undefined ? startOf(of) : readPlace(JSON.parse(text) as Place, { of, placeFile })
  }
  let { place, bytes } = noted()

  const keep = (handle: number, entries: readonly HistoryEntry[], size: bigint): void => {
    const last = entries.at(-1)
    const lines = entries.map(({ line }) => `${line}\n`).join('')
    writeFileSync(handle, lines)
    fsyncSync(handle)
    bytes += Buffer.byteLength(lines)
    const { seq, link, index } = last ?? place
    place = { seq, link, index, size }
    const now: Place = {
      ...{ ...of, seq: String(seq), link: toBase64Url(link), index: String(index), size: String(size) },
      bytes,
    }
    writeDurably(placeFile, `${JSON.stringify(now)}\n`, 0o600)
  }

  const take = async (client: Pick<Client, 'chain' | 'tile'>, head: KeptHead): Promise<number> => {
    const handle = openAt(file, bytes)
    try {
      let n = 0
      let fresh: HistoryEntry[] = []
      for await (const entry of history({ client, of, head, kept: place })) {
        fresh.push(entry)
        n += 1
        if (fresh.length < FLUSH_EVERY) continue
        // Of what is behind this link nothing is known yet.
        keep(handle, fresh, larger(place.size, entry.index + 1n))
        fresh = []
      }
      keep(handle, fresh, head.size)
      return n
    } finally {
      closeSync(handle)
    }
  }

  return {
    get place() {
      return place
    },
    async extend(client, head) {
      if (head.size < place.size)
        throw new VerificationFailed('chain head', 'the log is smaller than it was when the chain was verified')
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      const letGo = await lockOf(join(dir, 'chain.lock'))
      try {
        const now = noted()
        place = now.place
        bytes = now.bytes
        // Another process has verified it meanwhile, under a head that it took later.
        return head.size < place.size ? 0 : await take(client, head)
      } finally {
        await letGo()
      }
    },
    async *entries() {
      let last: ChainPlace = chainStart(of)
      if (bytes > 0) {
        const lines = linesOf(createReadStream(file, { end: bytes - 1 }))
        for await (const entry of chainEntries(of, last, lines)) {
          last = entry
          yield entry
        }
      }
      if (last.seq !== place.seq || !equal(last.link, place.link))
        throw new VerificationFailed('chain head', 'the links in the folder are not those that were verified')
    },
  }
}

/** The file to append to, with just the bytes that are noted. */
function openAt(file: string, bytes: number): number {
  const handle = openSync(file, 'a', 0o600)
  if (fstatSync(handle).size < bytes) {
    closeSync(handle)
    throw new StartRefused(`${file}: lines are missing; move its folder away, and the chain is taken anew`)
  }
  // What a crash left behind the noted place comes again.
  truncateSync(file, bytes)
  return handle
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)

const startOf = (of: ChainOf) => ({ place: { ...chainStart(of), size: 0n }, bytes: 0 })

function readPlace(
  { origin, party, seq, link, index, size, bytes }: Place,
  { of, placeFile }: { of: ChainOf; placeFile: string },
): ReturnType<typeof startOf> {
  if (origin !== of.origin || party !== of.party)
    throw new StartRefused(`${placeFile}: is of another log or party; move it away with its folder`)
  const known = fromBase64Url(link)
  if (known?.length !== 32) throw new StartRefused(`${placeFile}: is malformed`)
  return { place: { seq: BigInt(seq), link: known, index: BigInt(index), size: BigInt(size) }, bytes }
}
