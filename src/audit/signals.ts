import { fromBase64Url, toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Entry } from './entry.ts'
import { type Names, roomFor } from './names.ts'

type Change = Entry['changes'][number]

/** What the log has of one signal by now. */
export interface SignalState extends Omit<Change, 'index' | 'signal'> {
  source: string
  signal: string
  /** Indices of the entries that made it and that changed it last. */
  first: number
  last: number
}

/** The signals of a log, packed: a million of them are in memory at once. */
export interface SignalTable {
  find(source: string, signal: string): SignalState | undefined
  /** The state that a change makes; the row is made if there is none. */
  put(source: string, change: Change, at: number): SignalState
  nameOf(row: number): { source: string; signal: Uuid }
  /** The number of a row, by which it is named in few bytes. */
  rowOf(source: string, signal: string): number | undefined
}

const LEAF = 32
/** Numbers of a row: revision, state, audience, type, category, first and last index. */
const NUMBERS = 7

const wordOf = (source: string, signal: string): string => `signal ${source} ${signal}`

export function createSignalTable(names: Names): SignalTable {
  const words = wordList()
  let numbers = new Uint32Array(0)
  let expiry = new Float64Array(0)
  let leaves = new Uint8Array(0)

  const at = (row: number): SignalState => {
    const number = (i: number): number => numbers[NUMBERS * row + i] ?? 0
    return {
      ...nameOf(row),
      ...{ revision: number(0), state: words.text(number(1)), audience: words.text(number(2)) as Uuid },
      ...{ type: words.text(number(3)), category: words.text(number(4)), first: number(5), last: number(6) },
      expires_at: new Date(expiry[row] ?? 0).toISOString(),
      leaf: toBase64Url(leaves.subarray(LEAF * row, LEAF * (row + 1))),
    }
  }
  const nameOf = (row: number): { source: string; signal: Uuid } => {
    const [, source = '', signal = ''] = names.nameOf(row).split(' ')
    return { source, signal: signal as Uuid }
  }
  /** A row of the snapshot that no entry has made yet is none. */
  const rowOf = (source: string, signal: string): number | undefined => {
    const row = names.find(wordOf(source, signal))
    return row === undefined || (numbers[NUMBERS * row] ?? 0) === 0 ? undefined : row
  }
  return {
    nameOf,
    rowOf,
    find(source, signal) {
      const row = rowOf(source, signal)
      return row === undefined ? undefined : at(row)
    },
    put(source, change, index) {
      const isNew = rowOf(source, change.signal) === undefined
      const row = names.slotOf(wordOf(source, change.signal))
      numbers = roomFor(numbers, NUMBERS * (row + 1))
      expiry = roomFor(expiry, row + 1)
      leaves = roomFor(leaves, LEAF * (row + 1))
      const { revision, state, audience, type, category, expires_at, leaf } = change
      numbers.set([revision, ...[state, audience, type, category].map(words.number)], NUMBERS * row)
      if (isNew) numbers[NUMBERS * row + 5] = index
      numbers[NUMBERS * row + 6] = index
      expiry[row] = Date.parse(expires_at) || 0
      leaves.set((fromBase64Url(leaf) ?? new Uint8Array(LEAF)).subarray(0, LEAF), LEAF * row)
      return at(row)
    },
  }
}

/** The few words that are told a million times, as numbers. */
function wordList(): { number(text: string): number; text(number: number): string } {
  const known = new Map<string, number>()
  const texts: string[] = []
  return {
    text: (number) => texts[number] ?? '',
    number(text) {
      const number = known.get(text) ?? texts.length
      if (number === texts.length) {
        known.set(text, number)
        texts.push(text)
      }
      return number
    },
  }
}
