import { toBase64Url } from '../kernel/bytes.ts'
import { type Names, roomFor } from './names.ts'

/** What is known of a row of the database, in numbers below 2^32 - 1; -1 where it is not known. */
interface RowNumbers {
  /** The moment at which the snapshot read it. */
  moment: number
  /** The entry that made it as the snapshot has it. */
  made: number
  /** The first and the last entry that set it before it was read. */
  first: number
  last: number
  /** 1 if the row names the event that changed it last. */
  named: number
  /** 1 if it is not there, and an entry took it away; 0 if one made it again. */
  gone: number
}

/** Rows by the slots of their names, packed: a million of them are in memory at once. */
export interface RowTable {
  get(slot: number, column: keyof RowNumbers): number
  put(slot: number, column: keyof RowNumbers, value: number): void
  /** 16 bytes each: of the state, and of the event that the row names. */
  print(slot: number, of: 'state' | 'event'): string
  setPrint(slot: number, of: 'state' | 'event', bytes: Uint8Array): void
  readonly names: Names
}

export const PRINT_BYTES = 16
const BYTES = 2 * PRINT_BYTES
const COLUMNS: readonly (keyof RowNumbers)[] = ['moment', 'made', 'first', 'last', 'named', 'gone']
const NONE = 0xffff_ffff

export function createRowTable(names: Names): RowTable {
  let bytes = new Uint8Array(0)
  let numbers = new Uint32Array(0)
  const cell = (slot: number, column: keyof RowNumbers): number => COLUMNS.length * slot + COLUMNS.indexOf(column)
  const startOf = (slot: number, of: 'state' | 'event'): number => BYTES * slot + (of === 'event' ? PRINT_BYTES : 0)
  return {
    names,
    get(slot, column) {
      const value = numbers[cell(slot, column)] ?? NONE
      return value === NONE ? -1 : value
    },
    put(slot, column, value) {
      numbers = roomFor(numbers, COLUMNS.length * (slot + 1), NONE)
      numbers[cell(slot, column)] = value
    },
    print(slot, of) {
      const start = startOf(slot, of)
      return toBase64Url(bytes.subarray(start, start + PRINT_BYTES))
    },
    setPrint(slot, of, print) {
      bytes = roomFor(bytes, BYTES * (slot + 1))
      bytes.set(print.subarray(0, PRINT_BYTES), startOf(slot, of))
    },
  }
}
