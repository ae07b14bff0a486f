import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { OwnSignature } from '../client/countersigned.ts'
import { readIfThere } from '../client/files.ts'
import { removeDurably, syncFolder, writeDurably } from '../kernel/durable.ts'
import { Refusal } from '../kernel/errors.ts'
import type { EntryKind, Problem } from './outbox-rule.ts'

/** What is told of an entry; what is sent stands beside it until the node took it. */
export interface Entry {
  /** The client's Idempotency-Key. */
  id: string
  seq: number
  kind: EntryKind
  /** RFC 3339. */
  at: string
  state: 'waiting' | 'delivered' | 'refused'
  /** Of the request that made it, under the bridge's secret. */
  digest: string
  /** Of what is sent. */
  bytes: number
  /** Of the request, what each item was: its line, and its signal. */
  items: { line: number; signal?: string }[]
  /** What the node's countersignature is checked against. */
  sent?: OwnSignature & { what: string }
  delivered_at?: string
  /** As the node answered, item by item. */
  results?: { line: number; signal?: string; status: number; case?: string; code?: string; pointer?: string }[]
  /** The entry of the log. */
  event?: string | null
  problem?: Problem
}

export type NewEntry = Pick<Entry, 'id' | 'kind' | 'at' | 'digest' | 'items' | 'sent'> & { body: string }

export interface OutboxLimits {
  outbox_entries: number
  outbox_bytes: number
  outbox_delivered: number
}

/** What was acknowledged and the node has not taken yet, in order, on the disk. */
export interface Outbox {
  /** The entry of an id, if its request was the same; throws `state-conflict` if it was another. */
  find(id: string, digest: string): Entry | undefined
  /** Throws `outbox-full`. On the disk when it returns. */
  add(entry: NewEntry): Entry
  /** The first that waits, with what is sent. */
  next(): { entry: Entry; body: string } | undefined
  settle(entry: Entry, became: Omit<Partial<Entry>, 'id' | 'seq' | 'state'> & { state: 'delivered' | 'refused' }): void
  /** Behind a sequence, the oldest first. */
  list(after: number, limit: number): Entry[]
  get(id: string): Entry | undefined
  /** Takes one away that was refused or delivered: `not-found`, `state-conflict`. */
  remove(id: string): void
  counts(): { waiting: number; refused: number; delivered: number; bytes: number }
}

const TAKEN = 'the Idempotency-Key was used before; take a new one'
const NAME = /^[0-9]{12}\.json$/
/** Holds the highest sequence, once its entry is gone: readers go on behind it. */
const LAST_FILE = 'last'

/** Two files an entry: `<seq>.body` first, then `<seq>.json`, by which it is there. What a crash left half is taken away. */
export function openOutbox(dir: string, limits: OutboxLimits): Outbox {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const entries = new Map<string, Entry>()
  const at = (seq: number, end: string): string => join(dir, `${String(seq).padStart(12, '0')}.${end}`)
  for (const entry of readEntries(dir)) entries.set(entry.id, entry)
  sweep(dir, new Set([LAST_FILE, ...[...entries.values()].flatMap((one) => filesOf(one))]))
  const gone = Number(readIfThere(join(dir, LAST_FILE)) ?? 0)
  let last = [...entries.values()].reduce((highest, { seq }) => Math.max(highest, seq), gone)

  const counts = () => {
    const all = { waiting: 0, refused: 0, delivered: 0, bytes: 0 }
    for (const { state, bytes } of entries.values()) {
      all[state] += 1
      if (state !== 'delivered') all.bytes += bytes
    }
    return all
  }
  const write = (entry: Entry): void => {
    writeDurably(at(entry.seq, 'json'), JSON.stringify(entry), 0o600)
    entries.set(entry.id, entry)
  }
  const drop = (entry: Entry): void => {
    if (entry.seq === last) writeDurably(join(dir, LAST_FILE), String(last), 0o600)
    removeDurably(at(entry.seq, 'json'))
    removeDurably(at(entry.seq, 'body'))
    entries.delete(entry.id)
  }
  /** The oldest answers go. */
  const prune = (): void => {
    const delivered = [...entries.values()].filter(({ state }) => state === 'delivered')
    for (const entry of delivered.slice(0, Math.max(0, delivered.length - limits.outbox_delivered))) drop(entry)
  }

  return {
    counts,
    get: (id) => entries.get(id),
    find(id, digest) {
      const known = entries.get(id)
      if (known === undefined || known.digest === digest) return known
      throw new Refusal('state-conflict', { detail: TAKEN })
    },
    add({ body, ...entry }) {
      if (entries.has(entry.id)) throw new Refusal('state-conflict', { detail: TAKEN })
      const { waiting, refused, bytes } = counts()
      const own = Buffer.byteLength(body)
      if (waiting + refused >= limits.outbox_entries)
        throw new Refusal('outbox-full', { extra: { limit: limits.outbox_entries }, retryAfter: 60 })
      if (bytes + own > limits.outbox_bytes)
        throw new Refusal('outbox-full', { extra: { limit: limits.outbox_bytes }, retryAfter: 60 })
      last += 1
      const added: Entry = { ...entry, seq: last, state: 'waiting', bytes: own }
      writeDurably(at(added.seq, 'body'), body, 0o600)
      write(added)
      return added
    },
    next() {
      for (const entry of entries.values())
        if (entry.state === 'waiting') return { entry, body: readFileSync(at(entry.seq, 'body'), 'utf8') }
      return undefined
    },
    settle(entry, became) {
      write({ ...entry, ...became })
      if (became.state === 'delivered') removeDurably(at(entry.seq, 'body'))
      prune()
    },
    list: (after, limit) => [...entries.values()].filter(({ seq }) => seq > after).slice(0, limit),
    remove(id) {
      const entry = entries.get(id)
      if (entry === undefined) throw new Refusal('not-found')
      if (entry.state === 'waiting')
        throw new Refusal('state-conflict', { detail: 'it was acknowledged and waits for the node' })
      drop(entry)
    },
  }
}

/** In their order. */
const readEntries = (dir: string): Entry[] =>
  readdirSync(dir)
    .filter((name) => NAME.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')) as Entry)

function filesOf({ seq, state }: Entry): string[] {
  const name = String(seq).padStart(12, '0')
  return state === 'delivered' ? [`${name}.json`] : [`${name}.json`, `${name}.body`]
}

function sweep(dir: string, wanted: ReadonlySet<string>): void {
  const strays = readdirSync(dir).filter((name) => !wanted.has(name) && statSync(join(dir, name)).isFile())
  for (const name of strays) rmSync(join(dir, name))
  if (strays.length > 0) syncFolder(dir)
}
