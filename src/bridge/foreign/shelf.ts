import { closeSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** What other protocols are answered from, in one file beside the mirror. It is derived: another form, and it is made anew. */
const FORM = 3

const TABLES = `
  create table place (feed text primary key, bytes integer not null, seq text not null, added_us integer not null,
    second integer not null, same integer not null) strict;
  create table sign (feed text not null, source text not null, signal text not null, object text not null, seq integer not null,
    revision integer not null, event text not null, kind text not null, reason text, state text not null, item text,
    first_type text, type text, indicator text, tags text, created_ms integer not null, modified_ms integer not null,
    added_us integer not null, primary key (feed, source, signal)) strict, without rowid;
  create index sign_place on sign (feed, seq);
  create index sign_object on sign (object);
  create index sign_signal on sign (signal);
  create index sign_value on sign (type, indicator, feed, seq);
  create table record (feed text not null, type text not null, indicator text not null, number text not null, pos integer not null,
    last_updated integer not null, live integer not null, ended_seq integer, erased integer not null,
    primary key (feed, type, indicator)) strict, without rowid;
  create unique index record_pos on record (feed, pos);
  create index record_number on record (number);
  create index record_ended on record (live, last_updated);
  create table former (feed text not null, source text not null, signal text not null, type text not null, indicator text not null,
    primary key (feed, source, signal, type, indicator)) strict, without rowid;
  create table reaction (source text not null, signal text not null, giver text not null, outcome text not null,
    primary key (source, signal, giver)) strict, without rowid;
  create table said (feed text not null, seq integer not null, object text not null, event text not null, giver text not null,
    source text not null, signal text not null, outcome text not null, at_ms integer not null, added_us integer not null,
    primary key (feed, seq)) strict, without rowid;
  create index said_object on said (object);
  create table reached (client text not null, feed text not null, pos integer not null, at integer not null,
    primary key (client, feed)) strict, without rowid;
  create table counter (name text primary key, value integer not null) strict;`

export interface Shelf {
  readonly db: DatabaseSync
  /** All of it or nothing. */
  together<T>(work: () => T): T
  close(): void
}

/** Opens the file, or makes it anew where it is missing, damaged or of another form. */
export function openShelf(path: string): Shelf {
  const db = opened(path) ?? made(path)
  return {
    db,
    together(work) {
      db.exec('begin immediate')
      try {
        const result = work()
        db.exec('commit')
        return result
      } catch (error) {
        db.exec('rollback')
        throw error
      }
    },
    close: () => db.close(),
  }
}

function opened(path: string): DatabaseSync | undefined {
  // Made by us, so that nobody else may read it; those that SQLite puts beside it are made alike.
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path)
  try {
    // What is erased goes from the pages as well.
    db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on')
    const { user_version } = db.prepare('pragma user_version').get() as { user_version: number }
    if (user_version === FORM) return db
  } catch {
    // As a file that is none.
  }
  db.close()
  return undefined
}

function made(path: string): DatabaseSync {
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path)
  db.exec(`pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on; begin; ${TABLES}
    pragma user_version = ${FORM}; commit`)
  return db
}
