import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { TaxiiStatus } from '../../interop/taxii/port.ts'
import { Refusal, StartRefused } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'

/** What clients of TAXII wrote: which signal an object of theirs became, and what they were told. Not derived, and nothing of values. */
const FORM = 1
const TABLES = `
  create table posted (object text primary key, feed text not null, signal text, version text, digest text,
    ended integer not null default 0)
    strict, without rowid;
  create table status (id text primary key, client text not null, at_ms integer not null, told text not null)
    strict, without rowid;
  create index status_at on status (client, at_ms);`

/** How long a client may ask what became of its objects, and so many answers are kept of each meanwhile. */
export const STATUS_HOURS = 24
export const STATUSES_MAX = 10_000
const HOUR_MS = 3_600_000

export interface Posted {
  object: string
  /** Of the collection that it was written to. */
  feed: string
  /** Undefined of feedback. */
  signal: Uuid | undefined
  /** Of the newest version that the node has; undefined before the first. */
  version: string | undefined
  /** Under a key of this bridge, so that no value can be guessed by it. */
  digest: string | undefined
  ended: boolean
}

export interface PostedObjects {
  of(object: string): Posted | undefined
  /** Names signals before they are sent: who repeats an envelope after a crash finds the same ones. */
  reserve(rows: readonly Pick<Posted, 'object' | 'feed' | 'signal'>[]): void
  keep(rows: readonly Posted[]): void
  /** Throws `rate-limited` where a client has as many answers of a day as are kept. */
  expectRoom(client: string, now: Date): void
  tell(client: string, status: TaxiiStatus, now: Date): void
  told(client: string, id: string, now: Date): TaxiiStatus | undefined
  close(): void
}

interface Row {
  object: string
  feed: string
  signal: string | null
  version: string | null
  digest: string | null
  ended: number
}

/** Throws `StartRefused` for a file that is none of ours: which signals are whose cannot be made anew. */
export function openPosted(path: string): PostedObjects {
  const db = opened(path)
  const found = db.prepare('select * from posted where object = ?')
  const reserved = db.prepare('insert or ignore into posted (object, feed, signal) values (?, ?, ?)')
  const kept = db.prepare(
    'insert or replace into posted (object, feed, signal, version, digest, ended) values (?, ?, ?, ?, ?, ?)',
  )
  const old = db.prepare('delete from status where client = ? and at_ms < ?')
  const counted = db.prepare('select count(*) as n from status where client = ?')
  const telling = db.prepare('insert into status (id, client, at_ms, told) values (?, ?, ?, ?)')
  const toldOf = db.prepare('select told from status where id = ? and client = ? and at_ms >= ?')
  const since = (now: Date): number => now.getTime() - STATUS_HOURS * HOUR_MS
  const together = (work: () => void): void => {
    db.exec('begin immediate')
    try {
      work()
      db.exec('commit')
    } catch (error) {
      db.exec('rollback')
      throw error
    }
  }
  return {
    of(object) {
      const row = found.get(object) as Row | undefined
      if (row === undefined) return undefined
      const { feed, signal, version, digest, ended } = row
      return {
        ...{ object, feed, signal: (signal ?? undefined) as Uuid | undefined, version: version ?? undefined },
        ...{ digest: digest ?? undefined, ended: ended === 1 },
      }
    },
    reserve: (rows) =>
      together(() => rows.forEach(({ object, feed, signal }) => void reserved.run(object, feed, signal ?? null))),
    keep: (rows) =>
      together(() => {
        for (const { object, feed, signal, version, digest, ended } of rows)
          kept.run(object, feed, signal ?? null, version ?? null, digest ?? null, ended ? 1 : 0)
      }),
    expectRoom(client, now) {
      old.run(client, since(now))
      const { n } = counted.get(client) as { n: number }
      if (n >= STATUSES_MAX) throw new Refusal('rate-limited', { retryAfter: 3_600, extra: { limit: STATUSES_MAX } })
    },
    tell: (client, status, now) => void telling.run(status.id, client, now.getTime(), JSON.stringify(status)),
    told(client, id, now) {
      const row = toldOf.get(id, client, since(now)) as { told: string } | undefined
      return row === undefined ? undefined : (JSON.parse(row.told) as TaxiiStatus)
    },
    close: () => db.close(),
  }
}

function opened(path: string): DatabaseSync {
  // Made by us, so that nobody else may read it.
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path)
  try {
    db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on')
    const { user_version } = db.prepare('pragma user_version').get() as { user_version: number }
    if (user_version === FORM) return db
    if (user_version === 0) {
      db.exec(`begin; ${TABLES} pragma user_version = ${FORM}; commit`)
      return db
    }
  } catch (error) {
    db.close()
    throw new StartRefused(`${path}: is damaged; restore it, or move it away: objects of TAXII clients begin anew`, {
      cause: error,
    })
  }
  db.close()
  throw new StartRefused(`${path}: was written by a newer release`)
}
