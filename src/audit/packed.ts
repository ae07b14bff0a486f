type Numbers = Uint8Array | Int32Array | Uint32Array | Float64Array

/**
 * Rows of numbers, `width` in each, by the number of the row: a log has millions of them. They are kept in pieces, so that a
 * table which grows neither is copied whole nor has room for half as much again.
 */
export interface Packed<A extends Numbers> {
  /** The row as it stands, a view; without any number where there is none. */
  at(row: number): A
  /** `empty` where there is none. */
  get(row: number, column: number): number
  /** Makes the row if there is none; what is not set of it is `empty`. */
  set(row: number, numbers: ArrayLike<number>, column?: number): void
}

/** Rows of a piece. */
const PIECE = 16_384

export function createPacked<A extends Numbers>(kind: new (n: number) => A, width: number, empty = 0): Packed<A> {
  const pieces: A[] = []
  const none = new kind(0)
  /** The piece, with room for the row. */
  const roomFor = (row: number): A => {
    const [i, length] = [Math.floor(row / PIECE), width * ((row % PIECE) + 1)]
    const piece = pieces[i] ?? none
    if (length <= piece.length) return piece
    const more = new kind(Math.min(Math.max(length, 2 * piece.length), width * PIECE))
    more.fill(empty)
    more.set(piece)
    // Each place is filled in its turn: an array with holes would be a table of its own.
    for (let before = pieces.length; before < i; before++) pieces[before] = none
    pieces[i] = more
    return more
  }
  const pieceOf = (row: number): A => pieces[Math.floor(row / PIECE)] ?? none
  return {
    at: (row) => pieceOf(row).subarray(width * (row % PIECE), width * ((row % PIECE) + 1)) as A,
    get: (row, column) => pieceOf(row)[width * (row % PIECE) + column] ?? empty,
    set(row, numbers, column = 0) {
      roomFor(row).set(numbers, width * (row % PIECE) + column)
    },
  }
}
