/** Events are letters; each time that one is indexed again it takes fresh salts, and so the same letter of the next alphabet. */
const ALPHABETS = ['abcdefgh', 'ABCDEFGH', 'αβγδεζηθ', 'ΑΒΓΔΕΖΗΘ'] as const

/** What opens the second log; writers have the events before it. */
export const OPENED = 7

/** The entries of a tree in their order: its size is their number, and its root is as good as the whole of them. */
export type Tree = string

/** A set of events, one bit each. */
export type Events = number

export interface Log {
  entries: Tree
  fence: Tree
  signed: Tree
  /** Sizes of which a checkpoint is stored, one bit each: all are heads of `signed`. */
  checkpoints: number
  closed: number | undefined
}

export interface Database {
  logs: readonly Log[]
  records: Events
  outbox: Events
}

/** Between two rounds, between A and B, between B and C. */
export type Integrator =
  | { at: 'idle'; log: number; suspicious: boolean }
  | { at: 'indexed'; log: number; tree: Tree; clear: Events }
  | { at: 'cleared'; log: number; tree: Tree }

/**
 * Between two rounds, after D, and after E and the signature: dying between these two only signs less. `lost`: its
 * transaction's database is no more, which it finds at F. `noted` comes only where the order is wrong.
 */
export type Signer =
  | { at: 'idle'; log: number }
  | { at: 'verified' | 'noted' | 'anchored'; log: number; anchored: Tree | undefined; tree: Tree; lost: boolean }

export const ROTATION = ['none', 'closed', 'recorded', 'waiting', 'anchored', 'done'] as const

/** Looks without the lock whether the database is where the anchor is. */
export type Watcher = { at: 'idle' } | { at: 'signed'; signed: Tree } | { at: 'read'; signed: Tree; other: Tree }

export interface State {
  database: Database
  /** Outside the database, one of each log. */
  anchors: readonly (Tree | undefined)[]
  /** The most that any signature was given for, one list of each log: nothing takes these back. */
  signatures: readonly (readonly Tree[])[]
  published: Tree
  /** Events that writers were told are stored: the first so many. */
  written: number
  /** How often each event was indexed, three bits each. */
  made: number
  integrators: readonly Integrator[]
  signers: readonly Signer[]
  watcher: Watcher
  rotation: (typeof ROTATION)[number]
  backup: Database | undefined
  anchorCopy: Tree | undefined
  kills: number
  restores: number
  anchorRestores: number
  /** Why a process stopped for a person to look. */
  halted: string | undefined
}

export const EMPTY_LOG: Log = { entries: '', fence: '', signed: '', checkpoints: 0, closed: undefined }

export const bit = (event: number): Events => 1 << event

export const eventsIn = (events: Events): number[] => {
  const found: number[] = []
  for (let event = 0; events >> event !== 0; event++) if (events & bit(event)) found.push(event)
  return found
}

/** The entry that indexing an event makes now. */
export function entryOf(event: number, made: number): string {
  const entry = ALPHABETS[(made >> (3 * event)) & 7]?.[event]
  if (entry === undefined) throw new Error('an event is indexed more often than there are alphabets')
  return entry
}

export const madeAgain = (event: number, made: number): number => made + (1 << (3 * event))

const EVENT_OF = new Map(ALPHABETS.flatMap((letters) => [...letters].map((letter, event) => [letter, event] as const)))

export const eventOf = (entry: string): number => EVENT_OF.get(entry) ?? -1

export const eventsOf = (tree: Tree): Events => {
  let events = 0
  for (const entry of tree) events |= bit(eventOf(entry))
  return events
}

/** States share most of their parts, which never change: each part is written out once. */
function once<T extends object>(keyOf: (part: T) => string): (part: T) => string {
  const known = new WeakMap<T, string>()
  return (part) => {
    const before = known.get(part)
    if (before !== undefined) return before
    const key = keyOf(part)
    known.set(part, key)
    return key
  }
}

const keyOfDatabase = once(({ logs, records, outbox }: Database): string => {
  let key = `${records},${outbox}`
  for (const { entries, fence, signed, checkpoints, closed } of logs)
    key += `;${entries},${fence},${signed},${checkpoints},${closed ?? ''}`
  return key
})

const keyOfOutside = once((trees: State['anchors'] | State['signatures']): string =>
  trees.map((tree) => (typeof tree === 'object' ? tree.join('+') : (tree ?? '-'))).join(),
)

const keyOfIntegrator = once((one: Integrator): string => {
  if (one.at === 'idle') return one.suspicious ? `?${one.log}` : `.${one.log}`
  return one.at === 'indexed' ? `b${one.log}${one.tree},${one.clear}` : `c${one.log}${one.tree}`
})

const keyOfSigner = once((one: Signer): string =>
  one.at === 'idle' ? `.${one.log}` : `${one.at[0]}${one.log}${one.anchored ?? '-'},${one.tree}${one.lost ? '!' : ''}`,
)

/** Of equal processes it does not matter which one is where. */
const unordered = <T>(all: readonly T[], keyOf: (one: T) => string): string => {
  const [a, b, ...more] = all
  if (a === undefined) return ''
  if (b === undefined) return keyOf(a)
  if (more.length > 0) return all.map(keyOf).sort().join('/')
  const [left, right] = [keyOf(a), keyOf(b)]
  return left < right ? `${left}/${right}` : `${right}/${left}`
}

/** Two states have one key if nothing can tell them apart but the names of processes. */
export function keyOf(s: State): string {
  const { watcher } = s
  const looking =
    watcher.at === 'idle' ? '' : watcher.at === 'signed' ? watcher.signed : `${watcher.signed}>${watcher.other}`
  return (
    `${keyOfDatabase(s.database)}|${keyOfOutside(s.anchors)}|${keyOfOutside(s.signatures)}|${s.published}|` +
    `${s.written}|${s.made}|` +
    `${unordered(s.integrators, keyOfIntegrator)}|${unordered(s.signers, keyOfSigner)}|${watcher.at[0]}${looking}|` +
    `${s.rotation}|${s.backup === undefined ? '' : keyOfDatabase(s.backup)}|${s.anchorCopy ?? '-'}|` +
    `${s.kills}${s.restores}${s.anchorRestores}|${s.halted ?? ''}`
  )
}
