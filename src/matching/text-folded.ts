/** Folded text, until the folder's next text: its first `length` units count. */
export interface Folded {
  units: Uint16Array
  length: number
  /** Where in the original the cluster begins that a folded unit came from. */
  start(unit: number): number
  /** Where it ends. */
  end(unit: number): number
}

/** Room for folded units and their places, which grows and is used again. */
export function createOut() {
  let units = new Uint16Array(1_024)
  let starts = new Int32Array(0)
  let ends = new Int32Array(0)
  let length = 0
  /** Units before this place are in the original where they are here. */
  let same = 0

  const folded: Folded = {
    get units() {
      return units
    },
    get length() {
      return length
    },
    start: (unit) => (unit < same ? unit : (starts[unit] ?? 0)),
    end: (unit) => (unit < same ? unit + 1 : (ends[unit] ?? 0)),
  }

  const room = (wanted: number): void => {
    if (units.length < wanted) {
      const larger = new Uint16Array(Math.max(wanted, units.length * 2))
      larger.set(units)
      units = larger
    }
  }

  function push(unit: number, start: number, end: number): void {
    room(length + 1)
    if (starts.length < units.length) {
      starts = grown(starts, units.length)
      ends = grown(ends, units.length)
    }
    units[length] = unit
    starts[length] = start
    ends[length] = end
    length += 1
  }

  return {
    folded,
    push,
    reset(wanted: number) {
      room(wanted)
      length = 0
      same = 0
      return { units }
    },
    plain(until: number): void {
      length = until
      same = until
    },
    /** Takes the last cluster back, for more to join it; answers where it begins. */
    reopen(at: number): number {
      if (length === 0) return at
      const begin = folded.start(length - 1)
      while (length > 0 && folded.start(length - 1) === begin) length -= 1
      same = Math.min(same, length)
      return begin
    },
    pushAll(text: string, start: number, end: number): void {
      for (let i = 0; i < text.length; i++) push(text.charCodeAt(i), start, end)
    },
  }
}

function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length)
  larger.set(array)
  return larger
}
