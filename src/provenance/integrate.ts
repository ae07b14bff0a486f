import { uuidArray } from '../db/arrays.ts'
import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { type Uuid, uuidFromBytes } from '../kernel/ids.ts'
import { LogHalted } from './anchor.ts'
import { append, openChains, type Row } from './append.ts'
import { PACKED } from './batch.ts'
import * as outboxStore from './outbox-store.ts'
import * as store from './store.ts'

/** Outbox rows of one round. */
export const ENTRIES_AT_ONCE = 4_096

export interface IntegratorOptions {
  db: Db
  logId: number
  salt: () => Uint8Array
}

export interface Integrator {
  /**
   * One round: index (A), clear the outbox (B), move the fence (C), each its own commit; answers the entries indexed. While more waits
   * than one round takes, B and C go on beside the A of the next, and the last round waits for both.
   */
  round(): Promise<number>
}

/** Rounds that begin behind the one before; then the outbox is read from its first row, where late commits may stand. */
export const ROUNDS_IN_A_ROW = 16

type Head = Pick<store.NewTree, 'size' | 'root'>

/** A round whose B and C are under way. */
interface Before {
  ended: Promise<void>
  /** The highest event that it read. */
  last: Uuid | undefined
  /** What waits behind that; nothing if it could not be read. */
  ahead: Promise<outboxStore.Outbox | undefined> | undefined
}

interface Placing {
  rows: readonly Row[]
  /** Their events, a `uuidArray`. */
  ids: Buffer
}

/** Gives outbox rows their index. Any number may run: the head's lock lets one through, and an event is indexed once. */
export function createIntegrator({ db, logId, salt }: IntegratorOptions): Integrator {
  /** As the last round left it. Under any other head rows may wait that are in the log already: a crash or a rival left them. */
  let left: Head | undefined

  let before: Before | undefined
  let inARow = 0

  const read = (tx: Tx, after: Uuid | undefined, own = false) =>
    outboxStore.outbox(tx, logId, { limit: ENTRIES_AT_ONCE, own, after })

  /** What the next round takes, on another connection: this one has enough to do while it holds the head. */
  const readAhead = (after: Uuid) => atLog(db, logId, (tx) => read(tx, after)).catch(() => undefined)

  /** Of what waits, that which takes its place now, and all that is to be cleared. */
  const choose = async (tx: Tx, waiting: outboxStore.Outbox, mine: boolean) => {
    const known = await placedBefore(tx, logId, waiting, mine)
    const fresh = await ready(tx, logId, waiting, known)
    const cleared = known.length + fresh.length
    return {
      fresh,
      done: { clear: idsOf(waiting, [...known, ...fresh]), cleared, n: fresh.length, last: lastOf(waiting) },
    }
  }

  /** Gives them their index. */
  const place = async (tx: Tx, head: store.LogHead, { rows, ids }: Placing) => {
    const chains = await openChains(tx, { logId, head, rows })
    const [grown] = await Promise.all([
      append(tx, { logId, head, rows, chains, salt }),
      store.insertEvents(tx, { log_id: logId, first_idx: head.size, ids }),
    ])
    return grown
  }

  const index = async (tx: Tx, { last, ahead }: Partial<Before>, follows: boolean) => {
    const head = await store.lockHead(tx, logId)
    if (head === undefined) return undefined
    if (head.closed_size !== null) throw new LogHalted('closed', `the log ended at ${head.closed_size}`)
    const mine = isSame(head, left)
    // What opens a log is its first entry.
    const waiting = (mine ? await ahead : undefined) ?? (await read(tx, last, head.size === 0n))
    const { fresh, done } = await choose(tx, waiting, mine)
    if (done.n === 0) return { ...head, ...done, ahead: undefined }
    const rows = fresh.map((at) => rowAt(waiting, at))
    const next = follows && done.last !== undefined ? readAhead(done.last) : undefined
    return { ...(await place(tx, head, { rows, ids: idsOf(waiting, fresh) })), ...done, ahead: next }
  }

  type Indexed = NonNullable<Awaited<ReturnType<typeof index>>>

  const finish = async ({ cleared, clear, size, root }: Indexed): Promise<void> => {
    if (cleared > 0) await atLog(db, logId, (tx) => outboxStore.clearOutbox(tx, logId, { size, root, ids: clear }))
    await atLog(db, logId, (tx) => store.moveFence(tx, logId, size, root))
  }

  /** One A, beside the B and C of the one before. */
  const step = async (): Promise<number> => {
    const behind: Partial<Before> = before ?? {}
    const next = (inARow + 1) % ROUNDS_IN_A_ROW
    before = undefined
    const done = await both(
      behind.ended,
      atLog(db, logId, (tx) => index(tx, behind, next !== 0)),
    )
    if (done === undefined) return 0
    left = done.cleared > done.n ? undefined : { size: done.size, root: done.root }
    inARow = done.last === undefined ? 0 : next
    const finishing = finish(done)
    if (inARow === 0) await finishing
    else {
      // The next round hears of a failure.
      finishing.catch(() => {})
      before = { ended: finishing, last: done.last, ahead: done.ahead }
    }
    return done.n
  }

  return {
    async round() {
      try {
        const behind = before !== undefined
        const n = await step()
        // Late commits may stand before what was read.
        return behind && before === undefined ? n + (await step()) : n
      } catch (error) {
        left = undefined
        throw error
      }
    },
  }
}

/** Waits for both, and answers the second; where both fail the first is told. */
async function both<T>(first: Promise<void> | undefined, then: Promise<T>): Promise<T> {
  const [one, other] = await Promise.allSettled([first, then])
  if (one.status === 'rejected') throw one.reason
  if (other.status === 'rejected') throw other.reason
  return other.value
}

const isSame = (head: store.LogHead, left: Head | undefined): boolean =>
  left !== undefined && head.size === left.size && head.root.equals(left.root)

/** The highest event that was read, where more may follow. */
const lastOf = (waiting: outboxStore.Outbox): Uuid | undefined =>
  waiting.n === ENTRIES_AT_ONCE ? highestIn(waiting) : undefined

const rowAt = ({ packed, parties }: outboxStore.Outbox, place: number): Row => ({
  packed: packed.subarray(PACKED * place, PACKED * (place + 1)),
  parties: parties[place] ?? '',
})

const idAt = ({ packed }: outboxStore.Outbox, place: number): Uuid =>
  uuidFromBytes(packed.subarray(PACKED * place, PACKED * place + 16))

/** They are read by their ids, and come in the order of their time, which is another for ids that are derived. */
function highestIn({ packed, n }: outboxStore.Outbox): Uuid {
  let highest = packed.subarray(0, 16)
  for (let place = 1; place < n; place++) {
    const id = packed.subarray(PACKED * place, PACKED * place + 16)
    if (Buffer.compare(id, highest) > 0) highest = id
  }
  return uuidFromBytes(highest)
}

const idsOf = ({ packed }: outboxStore.Outbox, places: readonly number[]): Buffer =>
  uuidArray(packed, { width: PACKED, places })

const placesOf = ({ n }: outboxStore.Outbox): number[] => Array.from({ length: n }, (_, place) => place)

/** Which rows have their place in the log already: after a crash or a rival, whose head it is then, and of what an earlier log left waiting. */
async function placedBefore(tx: Tx, logId: number, waiting: outboxStore.Outbox, mine: boolean): Promise<number[]> {
  if (waiting.n === 0 || (mine && !waiting.inherited)) return []
  const places = placesOf(waiting)
  const known = await outboxStore.knownEvents(tx, logId, idsOf(waiting, places))
  return known.size === 0 ? [] : places.filter((place) => known.has(idAt(waiting, place)))
}

/** In their order; an entry waits until what it comes after is in the log or before it in this batch. */
async function ready(tx: Tx, logId: number, waiting: outboxStore.Outbox, known: readonly number[]): Promise<number[]> {
  const out = new Set(known)
  const sorted = placesOf(waiting).filter((place) => !out.has(place))
  const { after } = waiting
  const awaited = sorted.flatMap((place) => after?.[place] || [])
  if (after === undefined || awaited.length === 0) return sorted
  const placed = await outboxStore.knownEvents(tx, logId, awaited)
  const taken: number[] = []
  const held = new Map<Uuid, number[]>()
  // Whoever does not wait keeps its place: what others did because of it comes later by its time alone.
  const take = (first: number): void => {
    for (const next = [first]; next.length > 0; ) {
      const place = next.shift()
      if (place === undefined) return
      const id = idAt(waiting, place)
      placed.add(id)
      taken.push(place)
      next.push(...(held.get(id) ?? []))
    }
  }
  for (const place of sorted) {
    const before = after[place]
    if (before === undefined || before === '' || placed.has(before)) take(place)
    else held.set(before, [...(held.get(before) ?? []), place])
  }
  return taken
}
