/** Names as small numbers, each name in memory once: a log has a million of them. */
export interface Names extends Iterable<readonly [name: string, slot: number]> {
  slotOf(name: string): number
  /** Undefined for a name that was never told. */
  find(name: string): number | undefined
  nameOf(slot: number): string
  readonly size: number
}

export function createNames(): Names {
  const slots = new Map<string, number>()
  const names: string[] = []
  return {
    slotOf(name) {
      const known = slots.get(name)
      if (known !== undefined) return known
      slots.set(name, names.length)
      return names.push(name) - 1
    },
    find: (name) => slots.get(name),
    nameOf: (slot) => names[slot] ?? '',
    get size() {
      return names.length
    },
    [Symbol.iterator]: () => slots.entries(),
  }
}

/** The room that numbers or bytes need, half as much again when they outgrow it. */
export function roomFor<A extends Uint8Array | Int32Array | Uint32Array | Float64Array>(
  room: A,
  length: number,
  empty = 0,
): A {
  if (length <= room.length) return room
  const more = new (room.constructor as new (n: number) => A)(Math.max(length, Math.ceil(1.5 * room.length)))
  more.fill(empty)
  more.set(room)
  return more
}

/** What a stranger wrote as a list; anything else is as good as an empty one. */
export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Whether it is a number as the log's files write it: in decimal digits, as text. */
export const isDecimal = (value: unknown): value is string =>
  typeof value === 'string' && /^(0|[1-9][0-9]{0,18})$/.test(value)
