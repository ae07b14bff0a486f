import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toHex } from '../kernel/bytes.ts'
import type { VerifierKey } from './note.ts'

/** A checkpoint as it is given out. */
export interface PublishedRow {
  size: bigint
  /** When it was signed. */
  at: Date
  note: string
  cosigned: number
  wanted: number
  quorum: boolean
}

export interface CosignatureRow {
  size: bigint
  witness: string
  seconds: bigint
  line: string
}

export interface OutageRow {
  policy: string | null
  policy_at: Date | null
  since: Date | null
  ended: Date | null
}

export const published = (db: Db, logId: number): Promise<PublishedRow | undefined> =>
  db
    .selectFrom('log_published')
    .select(['size', 'at', 'note', 'cosigned', 'wanted', 'quorum'])
    .where('log_id', '=', logId)
    .executeTakeFirst()

/** When the oldest checkpoint was signed that is newer than the published one. */
export async function unpublishedSince(db: Db, logId: number): Promise<Date | undefined> {
  const row = await published(db, logId)
  const signed = await db
    .selectFrom('log_checkpoint')
    .select('at')
    .where('log_id', '=', logId)
    .where((eb) => (row === undefined ? eb.lit(true) : eb(eb.refTuple('size', 'at'), '>', eb.tuple(row.size, row.at))))
    .orderBy('size')
    .orderBy('at')
    .limit(1)
    .executeTakeFirst()
  return signed?.at
}

/** How rows name a witness: several policies may call one key by different names. */
export const witnessId = ({ name, id }: Pick<VerifierKey, 'name' | 'id'>): string => `${name}+${toHex(id)}`

export const witnesses = (db: Db, logId: number) =>
  db
    .selectFrom('log_witness')
    .select(['witness', 'size', 'seconds', 'missing_since'])
    .where('log_id', '=', logId)
    .execute()

export const outage = (db: Db, logId: number): Promise<OutageRow | undefined> =>
  db
    .selectFrom('log_outage')
    .select(['policy', 'policy_at', 'since', 'ended'])
    .where('log_id', '=', logId)
    .executeTakeFirst()

export async function keepOutage(db: Db, logId: number, row: OutageRow): Promise<void> {
  await atLog(db, logId, async (tx) => {
    await tx
      .insertInto('log_outage')
      .values({ log_id: logId, ...row })
      .onConflict((oc) => oc.column('log_id').doUpdateSet(row))
      .execute()
  })
}

/** What a round of the publisher found, in one transaction: cosignatures, who is missing, what is published now. */
export interface Found {
  cosignatures: readonly CosignatureRow[]
  missing: readonly { witness: string; since: Date }[]
  publish?: PublishedRow
}

export async function keepFound(db: Db, logId: number, { cosignatures, missing, publish }: Found): Promise<void> {
  await atLog(db, logId, async (tx) => {
    for (const row of cosignatures) await insertCosignature(tx, logId, row)
    for (const { witness, since } of missing) await insertMissing(tx, logId, witness, since)
    if (publish !== undefined) await upsertPublished(tx, logId, publish)
  })
}

async function insertCosignature(tx: Tx, logId: number, row: CosignatureRow): Promise<void> {
  const { size, witness, seconds } = row
  await tx
    .insertInto('log_cosignature')
    .values({ log_id: logId, ...row })
    .onConflict((oc) => oc.doNothing())
    .execute()
  await tx
    .insertInto('log_witness')
    .values({ log_id: logId, witness, size, seconds, missing_since: null })
    .onConflict((oc) => oc.columns(['log_id', 'witness']).doUpdateSet({ size, seconds, missing_since: null }))
    .execute()
}

async function insertMissing(tx: Tx, logId: number, witness: string, since: Date): Promise<void> {
  await tx
    .insertInto('log_witness')
    .values({ log_id: logId, witness, size: 0n, seconds: 0n, missing_since: since })
    .onConflict((oc) =>
      oc
        .columns(['log_id', 'witness'])
        .doUpdateSet({ missing_since: since })
        .where('log_witness.missing_since', 'is', null),
    )
    .execute()
}

/** Never back to a smaller or older one, whichever process comes last. */
async function upsertPublished(tx: Tx, logId: number, row: PublishedRow): Promise<void> {
  const { size, at } = row
  await tx
    .insertInto('log_published')
    .values({ log_id: logId, ...row })
    .onConflict((oc) =>
      oc
        .column('log_id')
        .doUpdateSet({ ...row })
        .where((eb) =>
          eb.or([
            eb('log_published.size', '<', size),
            eb.and([eb('log_published.size', '=', size), eb('log_published.at', '<=', at)]),
          ]),
        ),
    )
    .execute()
}
