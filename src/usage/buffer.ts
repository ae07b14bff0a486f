import type { Uuid } from '../kernel/ids.ts'

/** A request that was answered, as it is kept. */
export interface Answered {
  participant: Uuid
  credential: Uuid
  request_id: string
  at: Date
  method: string
  /** The route's pattern, never the URL. */
  route: string
  status: number
  code: string | undefined
  /** Milliseconds. */
  duration_ms: number
  response_bytes: number | undefined
}

/** What waits of one organisation, the oldest first. */
export interface Batch {
  participant: Uuid
  rows: readonly Answered[]
  /** Requests since the last batch that are in none. */
  dropped: number
}

export interface BufferOptions {
  /** Rows that may wait, of everybody. */
  waiting: number
  /** Rows of one organisation in an hour, and as many that were refused. */
  perHour: number
  /** Rows of a batch. */
  batch: number
}

/** Requests between their answer and the database: bounded, and whatever finds no room is counted. */
export interface Buffer {
  add(row: Answered): void
  /** What is to be written now, a batch of each organisation; it stays here until it is `written`. */
  batches(): Batch[]
  written(batch: Batch): void
  /** Requests of an organisation that were dropped and of which no batch was told yet. */
  dropped(participant: Uuid): number
}

interface Kept {
  rows: Answered[]
  dropped: number
  hour: number
  /** Rows of that hour. */
  answered: number
  refused: number
}

const HOUR_MS = 3_600_000

export function createBuffer({ waiting, perHour, batch }: BufferOptions): Buffer {
  const all = new Map<Uuid, Kept>()
  let count = 0

  const keptOf = (participant: Uuid, hour: number): Kept => {
    const known = all.get(participant) ?? { rows: [], dropped: 0, hour, answered: 0, refused: 0 }
    if (known.hour !== hour) Object.assign(known, { hour, answered: 0, refused: 0 })
    all.set(participant, known)
    return known
  }

  return {
    add(row) {
      const kept = keptOf(row.participant, Math.floor(row.at.getTime() / HOUR_MS))
      const kind = row.status < 400 ? 'answered' : 'refused'
      if (count >= waiting || kept[kind] >= perHour) {
        kept.dropped += 1
        return
      }
      kept[kind] += 1
      kept.rows.push(row)
      count += 1
    },
    batches: () =>
      [...all].flatMap(([participant, { rows, dropped }]) =>
        rows.length === 0 ? [] : { participant, rows: rows.slice(0, batch), dropped },
      ),
    written({ participant, rows, dropped }) {
      const kept = all.get(participant)
      if (kept === undefined) return
      kept.rows.splice(0, rows.length)
      kept.dropped -= dropped
      count -= rows.length
    },
    dropped: (participant) => all.get(participant)?.dropped ?? 0,
  }
}
