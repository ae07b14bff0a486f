import { randomBytes } from 'node:crypto'
import { atKeys } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { concat, utf8 } from '../kernel/bytes.ts'
import { type Uuid, uuidFromBytes } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { placeOf } from '../provenance/origin.ts'
import { KEY_ROW, sharedKeys } from './key-store.ts'
import { nextIndex } from './placing-store.ts'
import { createTagSet, type TagSet } from './tag-set.ts'

/** With whom a key is shared. */
export interface SharedKey {
  /** The first 12 hex digits of the key. */
  prefix: string
  origin: Uuid
  audience_id: Uuid
}

/**
 * Which match keys are shared with whom, as tags in memory: a key that nobody shared with the reader is answered without
 * the database. Kept apart by reader, or the time of an answer would tell that a key is shared among others.
 */
export interface KnownKeys {
  /** Below this place in the log every shared key is known; undefined while that is not so, and the database must be asked. */
  upto(): bigint | undefined
  /** The keys, in hex, without those of which no signal is the reader's own or shared into one of the audiences: the scopes. */
  mayFind(keys: readonly string[], scopes: readonly Uuid[]): string[]
  /** Committed rows of the log entries from the place `from` to below `to`. */
  add(rows: readonly SharedKey[], from: bigint, to: bigint): void
  /** Reads everything, at the start and whenever entries were missed; answers whether it had to. */
  load(): Promise<boolean>
}

/** Hex digits of a key that its tag is made of: as many as a number holds. */
export const PREFIX = 12
/** Rows read at once while loading. */
const PAGE = 20_000

export function createKnownKeys({ db, logId }: { db: Db; logId: number }): KnownKeys {
  const tags = createTagSet()
  const seedOf = seeder()
  /** Every entry below this index is in, unless one was missed. */
  let known = 0n
  let missed = true
  let loading = false

  const put = ({ prefix, origin, audience_id }: SharedKey): void => {
    const bits = bitsOf(prefix)
    tags.add(tagOf(bits, seedOf(origin)))
    tags.add(tagOf(bits, seedOf(audience_id)))
  }

  return {
    upto: () => (missed || loading ? undefined : known),
    mayFind(keys, scopes) {
      const seeds = scopes.map(seedOf)
      // All made before one is looked for: each look-up waits for memory, and those that follow one another wait together.
      const made = new Uint32Array(keys.length * seeds.length)
      keys.forEach((key, i) => {
        const bits = bitsOf(key)
        seeds.forEach((seed, j) => {
          made[seeds.length * i + j] = tagOf(bits, seed)
        })
      })
      return keys.filter((_, i) => anyOf(tags, made, { from: seeds.length * i, to: seeds.length * (i + 1) }))
    },
    add(rows, from, to) {
      rows.forEach(put)
      if (from > known) missed = true
      else if (to > known) known = to
    },
    async load() {
      if (!missed) return false
      loading = true
      try {
        known = placeOf(logId, await nextIndex(db, logId))
        missed = false
        await everyPage(db, put)
      } catch (error) {
        missed = true
        throw error
      } finally {
        loading = false
      }
      return true
    },
  }
}

async function everyPage(db: Db, take: (row: SharedKey) => void): Promise<void> {
  let after: Buffer | undefined
  do {
    const page = await atKeys(db, (tx) => sharedKeys(tx, { after, limit: PAGE }))
    for (let at = 0; at < page.length; at += KEY_ROW) {
      const prefix = page.toString('hex', at, at + PREFIX / 2)
      take({ prefix, origin: uuidAt(page, at + 48), audience_id: uuidAt(page, at + 64) })
    }
    after = page.length < PAGE * KEY_ROW ? undefined : page.subarray(-KEY_ROW)
  } while (after !== undefined)
}

const uuidAt = (row: Buffer, at: number): Uuid => uuidFromBytes(row.subarray(at, at + 16))

function anyOf(tags: TagSet, made: Uint32Array, { from, to }: { from: number; to: number }): boolean {
  for (let i = from; i < to; i++) if (tags.has(made[i] ?? 0)) return true
  return false
}

/** Mixed with a secret of this process: who shares keys cannot choose where their tags fall. */
function seeder(): (scope: Uuid) => number {
  const secret = randomBytes(32)
  const seeds = new Map<Uuid, number>()
  return (scope) => {
    const known = seeds.get(scope)
    if (known !== undefined) return known
    const seed = sha256(concat(secret, utf8(scope))).readUInt32BE()
    seeds.set(scope, seed)
    return seed
  }
}

/** A key's first digits, as two numbers. */
const bitsOf = (hex: string) => ({ high: bitsAt(hex, 0, PREFIX - 8), low: bitsAt(hex, PREFIX - 8, PREFIX) })

/** Of a key's first digits under a scope. */
const tagOf = ({ high, low }: { high: number; low: number }, seed: number): number => mixed(mixed(low ^ seed) ^ high)

/** Digits of lower-case hex as a number, eight at most. */
function bitsAt(hex: string, from: number, to: number): number {
  let bits = 0
  for (let i = from; i < to; i++) {
    const code = hex.charCodeAt(i)
    bits = (bits << 4) | ((code & 15) + 9 * (code >> 6))
  }
  return bits
}

/** The finaliser of MurmurHash3, which spreads every bit over all 32. */
function mixed(bits: number): number {
  const first = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35)
  return (second ^ (second >>> 16)) >>> 0
}
