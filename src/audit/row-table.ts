import { toBase64Url } from '../kernel/bytes.ts'
import { createPacked } from './packed.ts'

/** What is known of a row of the database, in numbers below 2^32 - 1; -1 where it is not known. */
interface RowNumbers {
  /** The moment at which the snapshot read it. */
  moment: number
  /** The entry that made it as the snapshot has it. */
  made: number
  /** The first and the last entry that set it before it was read. */
  first: number
  last: number
}

/** Rows by the slots of their names, packed: a million of them are in memory at once. `M`: what a row may be marked with. */
export interface RowTable<M extends string> {
  get(slot: number, column: keyof RowNumbers): number
  put(slot: number, column: keyof RowNumbers, value: number): void
  is(slot: number, mark: M): boolean
  mark(slot: number, mark: M, is?: boolean): void
  /** 16 bytes each: of two states, or of a state and the event that the row names. */
  print(slot: number, place: 0 | 1): string
  setPrint(slot: number, place: 0 | 1, bytes: Uint8Array): void
}

export const PRINT_BYTES = 16
/** Two prints, and a bit for each mark. */
const BYTES = 2 * PRINT_BYTES + 1
const MARKS_AT = 2 * PRINT_BYTES
const COLUMNS: readonly (keyof RowNumbers)[] = ['moment', 'made', 'first', 'last']
const NONE = 0xffff_ffff

/** Of up to eight marks. */
export function createRowTable<M extends string>(marks: readonly M[]): RowTable<M> {
  const bytes = createPacked(Uint8Array, BYTES)
  const numbers = createPacked(Uint32Array, COLUMNS.length, NONE)
  const bitOf = (mark: M): number => 1 << marks.indexOf(mark)
  return {
    get(slot, column) {
      const value = numbers.get(slot, COLUMNS.indexOf(column))
      return value === NONE ? -1 : value
    },
    put: (slot, column, value) => numbers.set(slot, [value], COLUMNS.indexOf(column)),
    is: (slot, mark) => (bytes.get(slot, MARKS_AT) & bitOf(mark)) !== 0,
    mark(slot, mark, is = true) {
      const others = bytes.get(slot, MARKS_AT) & ~bitOf(mark)
      bytes.set(slot, [is ? others | bitOf(mark) : others], MARKS_AT)
    },
    print: (slot, place) => toBase64Url(bytes.at(slot).subarray(PRINT_BYTES * place, PRINT_BYTES * (place + 1))),
    setPrint: (slot, place, print) => bytes.set(slot, print.subarray(0, PRINT_BYTES), PRINT_BYTES * place),
  }
}
