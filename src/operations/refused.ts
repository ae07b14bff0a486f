/** Why a copy of the database was not made or not taken; each with what to do. */
export const REFUSALS = {
  'folder-there': 'a backup is written into a folder of its own: name one that is not there yet',
  'folder-missing': 'the folder above it is not there: is the disk mounted?',
  'no-database': 'there is no database of Aldis: check DATABASE_URL and DATA_DIR',
  unfinished: 'it has no SHA256SUMS, which is written last: this backup was interrupted, take another',
  damaged: 'take another backup; this one must not be restored',
  'schema-newer': 'install the release that made it, or a newer one',
  'schema-other': 'restore into a database that nobody has migrated yet',
  'target-filled': 'a database is restored into an empty one only: name another',
  'in-use': 'a node runs on it: stop the node first',
  'root-differs': 'the log in it is not the one that it names: take another backup',
  'key-differs': 'another key of this name is there: nothing was overwritten',
} as const

export type RefusalReason = keyof typeof REFUSALS

/** A backup, restore or copy that did not happen; what was there before is there still. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, found: string, options?: ErrorOptions) {
    super(`${found}; ${REFUSALS[reason]}`, options)
    this.reason = reason
  }
}
