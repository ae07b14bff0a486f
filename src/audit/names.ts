import { equal } from '../kernel/bytes.ts'
import { isUuid, uuidBytes, uuidFromBytes } from '../kernel/ids.ts'
import { createPacked } from './packed.ts'

/** Names as small numbers, each name in memory once, in few bytes if it ends with a UUID: a log has millions of them. */
export interface Names extends Iterable<readonly [name: string, slot: number]> {
  slotOf(name: string): number
  /** Undefined for a name that was never told. */
  find(name: string): number | undefined
  nameOf(slot: number): string
  readonly size: number
}

/** Characters of a UUID, and its bytes. */
const ID = 36
const BYTES = 16
const NO_ID = new Uint8Array(BYTES)
/** Part of the index that is taken at most. */
const FULL = 0.75

/** A name as two parts: the number of what stands before its UUID, even, or of the whole name if there is none, odd. */
interface Parts {
  head: number
  id: Uint8Array
}

export function createNames(): Names {
  const words = wordList()
  const [heads, ids] = [createPacked(Uint32Array, 1), createPacked(Uint8Array, BYTES)]
  // Nobody who writes a log can know which of its names meet.
  const [seed = 0] = crypto.getRandomValues(new Uint32Array(1))
  /** Slots plus one, each at the first free place from its hash on. */
  let index = new Uint32Array(64)
  let size = 0

  const partsOf = (slot: number): Parts => ({ head: heads.get(slot, 0), id: ids.at(slot) })
  /** Where the name is in the index, or would be. */
  const placeOf = ({ head, id }: Parts): number => {
    let place = hashOf({ head, id }, seed) & (index.length - 1)
    for (let known = index[place] ?? 0; known > 0; known = index[place] ?? 0) {
      if (heads.get(known - 1, 0) === head && equal(ids.at(known - 1), id)) return place
      place = (place + 1) & (index.length - 1)
    }
    return place
  }
  const widen = (): void => {
    index = new Uint32Array(2 * index.length)
    for (let slot = 0; slot < size; slot++) index[placeOf(partsOf(slot))] = slot + 1
  }
  const nameOf = (slot: number): string => {
    const { head, id } = partsOf(slot)
    return `${words.text(head >>> 1)}${head % 2 === 0 ? uuidFromBytes(id) : ''}`
  }
  return {
    nameOf,
    slotOf(name) {
      const { word, isWhole, id } = split(name)
      const parts = { head: 2 * words.number(word) + isWhole, id }
      const known = index[placeOf(parts)] ?? 0
      if (known > 0) return known - 1
      heads.set(size, [parts.head])
      ids.set(size, id)
      size += 1
      if (size > FULL * index.length) widen()
      else index[placeOf(parts)] = size
      return size - 1
    },
    find(name) {
      const { word, isWhole, id } = split(name)
      const number = words.find(word)
      const known = number === undefined ? 0 : (index[placeOf({ head: 2 * number + isWhole, id })] ?? 0)
      return known === 0 ? undefined : known - 1
    },
    get size() {
      return size
    },
    *[Symbol.iterator]() {
      for (let slot = 0; slot < size; slot++) yield [nameOf(slot), slot] as const
    },
  }
}

function split(name: string): { word: string; isWhole: 0 | 1; id: Uint8Array } {
  const id = name.slice(-ID)
  return isUuid(id)
    ? { word: name.slice(0, -ID), isWhole: 0, id: uuidBytes(id) }
    : { word: name, isWhole: 1, id: NO_ID }
}

/** FNV-1a, 32 bits, from a seed on. */
function hashOf({ head, id }: Parts, seed: number): number {
  let hash = Math.imul(seed ^ head, FNV_PRIME)
  for (const byte of id) hash = Math.imul(hash ^ byte, FNV_PRIME)
  return (hash ^ (hash >>> 15)) >>> 0
}

const FNV_PRIME = 0x01000193

/** The few words that are told a million times, as numbers. */
export function wordList(): {
  number(text: string): number
  find(text: string): number | undefined
  text(number: number): string
} {
  const known = new Map<string, number>()
  const texts: string[] = []
  return {
    find: (text) => known.get(text),
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

/** What a stranger wrote as a list; anything else is as good as an empty one. */
export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Whether it is a number as the log's files write it: in decimal digits, as text. */
export const isDecimal = (value: unknown): value is string =>
  typeof value === 'string' && /^(0|[1-9][0-9]{0,18})$/.test(value)
