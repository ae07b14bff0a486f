import { fromBase64Url, toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Entry } from './entry.ts'
import { type Names, wordList } from './names.ts'
import { createPacked } from './packed.ts'

type Change = Entry['changes'][number]

/** What the log has of one signal by now. */
export interface SignalState extends Omit<Change, 'index' | 'signal'> {
  source: string
  signal: string
  /** Index of the entry that changed it last. */
  last: number
}

/** A signal as one entry left it. */
export interface SignalVersion extends Pick<SignalState, 'revision' | 'state' | 'audience'> {
  /** The entry. */
  at: number
}

/** The signals of a log, packed: a million of them are in memory at once. */
export interface SignalTable {
  find(source: string, signal: string): SignalState | undefined
  /** What entries made of it one after the other, the newest first; empty for a signal that none has made. */
  versions(source: string, signal: string): Iterable<SignalVersion>
  /** The state that a change makes; the row is made if there is none. */
  put(source: string, change: Change, at: number): SignalState
  nameOf(row: number): { source: string; signal: Uuid }
  /** Every audience that it was shared with, in order. */
  audiencesOf(row: number): readonly string[]
  /** The number by which what somebody says of a signal is named, whether it is the signal's source or not. */
  wordOf(party: string, signal: string): number
  /** The number of a row, by which it is named in few bytes. */
  rowOf(source: string, signal: string): number | undefined
}

const LEAF = 32
/** Numbers of a version: its entry, revision, state, audience, and the place of the version before plus one. */
const VERSION = 5
/** Numbers of a row: its newest version, type, category. */
const NUMBERS = 7

const wordOf = (source: string, signal: string): string => `signal ${source} ${signal}`

export function createSignalTable(names: Names): SignalTable {
  const words = wordList()
  const numbers = createPacked(Int32Array, NUMBERS)
  const former = createPacked(Int32Array, VERSION)
  let formers = 0
  const expiry = createPacked(Float64Array, 1)
  const leaves = createPacked(Uint8Array, LEAF)

  const at = (row: number): SignalState => {
    const [last = 0, revision = 0, state = 0, audience = 0, , type = 0, category = 0] = numbers.at(row)
    return {
      ...nameOf(row),
      ...{ revision, state: words.text(state), audience: words.text(audience) as Uuid },
      ...{ type: words.text(type), category: words.text(category), last },
      expires_at: new Date(expiry.get(row, 0)).toISOString(),
      leaf: toBase64Url(leaves.at(row)),
    }
  }
  const nameOf = (row: number): { source: string; signal: Uuid } => {
    const [, source = '', signal = ''] = names.nameOf(row).split(' ')
    return { source, signal: signal as Uuid }
  }
  /** Keeps what a row was before it changes; answers its place plus one. */
  const keep = (row: number): number => {
    former.set(formers, numbers.at(row).subarray(0, VERSION))
    formers += 1
    return formers
  }
  function* versionsOf(row: number): Generator<SignalVersion> {
    let told = numbers.at(row)
    for (;;) {
      const [entry = 0, revision = 0, state = 0, audience = 0, before = 0] = told
      yield { at: entry, revision, state: words.text(state), audience: words.text(audience) as Uuid }
      if (before === 0) return
      told = former.at(before - 1)
    }
  }
  /** A row of the snapshot that no entry has made yet is none. */
  const rowOf = (source: string, signal: string): number | undefined => {
    const row = names.find(wordOf(source, signal))
    return row === undefined || numbers.get(row, 1) === 0 ? undefined : row
  }
  return {
    nameOf,
    rowOf,
    wordOf: (party, signal) => names.slotOf(wordOf(party, signal)),
    audiencesOf: (row) => [...new Set([...versionsOf(row)].map(({ audience }) => audience).reverse())],
    versions(source, signal) {
      const row = rowOf(source, signal)
      return row === undefined ? [] : versionsOf(row)
    },
    find(source, signal) {
      const row = rowOf(source, signal)
      return row === undefined ? undefined : at(row)
    },
    put(source, change, index) {
      const isNew = rowOf(source, change.signal) === undefined
      const row = names.slotOf(wordOf(source, change.signal))
      const { revision, state, audience, type, category, expires_at, leaf } = change
      const before = isNew ? 0 : keep(row)
      const version = [index, revision, words.number(state), words.number(audience), before]
      numbers.set(row, [...version, words.number(type), words.number(category)])
      expiry.set(row, [Date.parse(expires_at) || 0])
      leaves.set(row, (fromBase64Url(leaf) ?? new Uint8Array(LEAF)).subarray(0, LEAF))
      return at(row)
    },
  }
}
