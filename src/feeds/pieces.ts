import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'

/** Bytes of a piece: many slow readers of one file hold little of it each. */
const PIECE = 262_144
/** Buffers that are kept for the next answers, 16 MiB. */
const KEPT = 64

export const newPiece = (): Buffer => Buffer.allocUnsafeSlow(PIECE)

/** A file of so many bytes in pieces, each read into a buffer that is taken just before. Closes the file at its end. */
export function piecesOf(file: FileHandle, size: number, take: () => Buffer): Readable {
  let at = 0
  const next = async (): Promise<Buffer | null> => {
    if (at >= size) return null
    const { bytesRead, buffer } = await file.read(take(), 0, Math.min(PIECE, size - at), at)
    if (bytesRead === 0) throw new RangeError(`a file of ${size} bytes ends at ${at}`)
    at += bytesRead
    return buffer.subarray(0, bytesRead)
  }
  return new Readable({
    highWaterMark: PIECE,
    read() {
      next().then(
        (piece) => this.destroyed || this.push(piece),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      file.close().then(() => done(error), done)
    },
  })
}

/** The buffers of one answer. */
export interface LentPieces {
  /** To read the next piece into. */
  take(): Buffer
  /** These bytes, of a piece or not, are with whoever sends the answer, which counts them until they are written. */
  passed(bytes: Buffer): void
  /** Whoever sends the answer has written something; at its end nobody takes a piece any more. */
  written(): void
}

export interface PiecePool {
  /** For an answer of which `unsent` bytes that were passed on wait to be written; Infinity if nobody knows. */
  lend(unsent: () => number): LentPieces
}

/**
 * Buffers that are used again once what was in them is written: memory that is fresh for each piece costs a full sync a
 * sixth more. One whose answer does not come to its end is left to the collector.
 */
export function createPiecePool(): PiecePool {
  const free: Buffer[] = []
  return {
    lend(unsent) {
      const taken = new Map<ArrayBufferLike, Buffer>()
      /** In the order in which they are written, each with where its bytes end among all. */
      const onTheirWay: { piece: Buffer; end: number }[] = []
      let all = 0
      const takeBack = (): void => {
        const written = all - unsent()
        for (let first = onTheirWay[0]; first !== undefined && first.end <= written; first = onTheirWay[0]) {
          onTheirWay.shift()
          if (free.length < KEPT) free.push(first.piece)
        }
      }
      return {
        take() {
          takeBack()
          const piece = free.pop() ?? newPiece()
          taken.set(piece.buffer, piece)
          return piece
        },
        passed(bytes) {
          all += bytes.length
          const piece = taken.get(bytes.buffer)
          if (piece === undefined) return
          taken.delete(bytes.buffer)
          onTheirWay.push({ piece, end: all })
        },
        written: takeBack,
      }
    },
  }
}
