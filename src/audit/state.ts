import { type Hash, toBase64Url } from '../kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../kernel/ids.ts'
import { type Faults, nameOf } from './faults.ts'
import type { Finding, Numbered } from './finding.ts'
import type { Names } from './names.ts'
import type { Row } from './programme.ts'
import { createRowTable, PRINT_BYTES, type RowTable } from './row-table.ts'

/** A row of the database as the snapshot tells it. */
export interface SnapshotRow extends Row {
  event?: string | undefined
}

/** At which moment rows were read: how much was in the log, and what was committed beside it. */
export interface Moment {
  size: bigint
  waiting: readonly string[]
}

/** Holds the rows of a snapshot against those that entries make, row by row, few bytes for each. */
export interface Comparison {
  /** Of the rows that follow. */
  moment(at: Moment): void
  row(row: SnapshotRow): void
  /** Rows that an entry sets. */
  set(entry: { index: bigint; event: string }, rows: readonly Row[]): void
  /** `beyond`: rows of other tables that are of entries beyond `size`. */
  end(size: bigint, beyond: number): Finding
}

/** The row names the event that changed it last; it is not there, and an entry took it away that none made again. */
type Mark = 'named' | 'gone'

/** Of a row's prints: its state, and the event that it names. */
const [STATE, EVENT] = [0, 1] as const

interface Compared {
  rows: RowTable<Mark>
  moments: readonly { size: bigint; waiting: ReadonlySet<string> }[]
  /** What entries made of rows that do not name the event that changed them. */
  unnamed: ReadonlyMap<number, string>
  /** Entries that the snapshot may have gone by and that were not met. */
  unmet: ReadonlySet<string>
  /** Entries of earlier logs. */
  before: bigint
  /** Entries of this one, as far as it is audited. */
  size: bigint
}

export function compareState(
  { hash, names, before }: { hash: Hash; names: Names; before: bigint },
  check: Numbered,
  faults: Faults,
): Comparison {
  const rows = createRowTable<Mark>(['named', 'gone'])
  const moments: { size: bigint; waiting: ReadonlySet<string> }[] = []
  const unnamed = new Map<number, string>()
  const unmet = new Set<string>()
  const printOf = (state: Row['state']): Uint8Array =>
    hash(JSON.stringify(Object.entries(state).sort())).subarray(0, PRINT_BYTES)

  const set = (index: bigint, event: string, { of, state, gone }: Row): void => {
    const slot = names.slotOf(of)
    if (gone === true) {
      takeAway({ rows, moments }, slot, { index, event, place: Number(index + before) })
      return
    }
    const moment = moments[rows.get(slot, 'moment')] ?? moments[0]
    // What came after the row was read says nothing of it.
    if (!isBehind(moment, index, event)) return
    const place = Number(index + before)
    if (rows.get(slot, 'first') < 0) rows.put(slot, 'first', place)
    rows.put(slot, 'last', place)
    rows.mark(slot, 'gone', false)
    const print = toBase64Url(printOf(state))
    if (!rows.is(slot, 'named')) unnamed.set(slot, print)
    else if (!isAsMade(rows, slot, { event, place, print }))
      faults.add(`${of}: the row is another than the event ${event} made it`, index)
  }

  return {
    moment({ size, waiting }) {
      moments.push({ size, waiting: new Set(waiting) })
      noteAll(unmet, waiting)
    },
    row({ of, state, event }) {
      const slot = names.slotOf(of)
      if (rows.get(slot, 'moment') >= 0) faults.add(`${of}: the snapshot has it twice`)
      rows.put(slot, 'moment', moments.length - 1)
      rows.setPrint(slot, STATE, printOf(state))
      if (event === undefined) return
      rows.setPrint(slot, EVENT, uuidBytes(event as Uuid))
      rows.mark(slot, 'named')
    },
    set({ index, event }, changed) {
      unmet.delete(event)
      for (const row of changed) set(index, event, row)
    },
    end(size, beyond) {
      let early = beyond
      for (const [of, slot] of names) {
        const why = faultOf({ rows, moments, unnamed, unmet, before, size }, slot, of)
        if (why === 'early') early += 1
        else if (why !== undefined) faults.add(`${of}: ${why}`)
      }
      return faults.finding(() =>
        early > 0
          ? check.unknown(
              `${early} rows are of entries that come after the ${size} of this log: audit a later checkpoint`,
            )
          : check.pass(`the entries make the ${names.size} rows of the snapshot`),
      )
    },
  }
}

/** Notes which entry made a row that names the event of it; false where it is another than that one made it. */
function isAsMade(rows: RowTable<Mark>, slot: number, by: { event: string; place: number; print: string }): boolean {
  if (rows.print(slot, EVENT) !== textOf(by.event)) return true
  rows.put(slot, 'made', by.place)
  return rows.print(slot, STATE) === by.print
}

const noteAll = (events: Set<string>, more: readonly string[]): void => {
  for (const event of more) events.add(event)
}

/** Whether an entry was made by the moment; without a moment it was. */
const isBehind = (moment: Compared['moments'][number] | undefined, index: bigint, event: string): boolean =>
  moment === undefined || index < moment.size || moment.waiting.has(event)

/** A row that is not there was taken away by any entry that some page of the snapshot had behind it. */
function takeAway(
  { rows, moments }: Pick<Compared, 'rows' | 'moments'>,
  slot: number,
  { index, event, place }: { index: bigint; event: string; place: number },
): void {
  const moment = moments[rows.get(slot, 'moment')]
  if (moment !== undefined && isBehind(moment, index, event)) rows.put(slot, 'last', place)
  if (moment === undefined && moments.some((one) => isBehind(one, index, event))) rows.mark(slot, 'gone')
}

/** What is wrong with a row once every entry was seen; `early` if its entry is still to come. */
function faultOf(compared: Compared, slot: number, of: string): string | undefined {
  const { rows, unnamed } = compared
  if (rows.get(slot, 'moment') < 0) return absentFault(compared, slot, of)
  if (rows.is(slot, 'named')) return namedFault(compared, slot)
  if (unnamed.get(slot) === rows.print(slot, STATE)) return undefined
  return readBeyond(compared, slot) ? 'early' : 'no entry made it so'
}

/** Kinds of rows that entries take away. */
const TAKEN_AWAY = 'sealed-value '

function absentFault(compared: Compared, slot: number, of: string): string | undefined {
  const { rows, moments, unmet, size } = compared
  const first = rows.get(slot, 'first')
  if (first < 0 || rows.is(slot, 'gone')) return undefined
  // An entry that is not audited may have taken it away before its page was read.
  if (of.startsWith(TAKEN_AWAY) && (unmet.size > 0 || moments.some((moment) => moment.size > size))) return 'early'
  return `${entryAt(compared, first)} made it, and the database does not have it`
}

/** Whether it was read when the log had more entries than are audited, any of which may have made it. */
const readBeyond = ({ rows, moments, size }: Compared, slot: number): boolean =>
  (moments[rows.get(slot, 'moment')]?.size ?? 0n) > size

const entryAt = ({ before }: Compared, place: number): string => nameOf(BigInt(place) - before)

function namedFault(compared: Compared, slot: number): string | undefined {
  const { rows, moments } = compared
  const [made, last] = [rows.get(slot, 'made'), rows.get(slot, 'last')]
  if (made < last && made >= 0)
    return `the row is as ${entryAt(compared, made)} made it, and ${entryAt(compared, last)} changed it`
  if (made >= 0) return undefined
  if (readBeyond(compared, slot)) return 'early'
  const event = rows.print(slot, EVENT)
  const waiting = moments[rows.get(slot, 'moment')]?.waiting ?? new Set<string>()
  const isWaiting = [...waiting].some((one) => textOf(one) === event)
  return isWaiting ? 'early' : 'the row names an event that did not make it so'
}

const textOf = (event: string): string => toBase64Url(uuidBytes(event as Uuid))
