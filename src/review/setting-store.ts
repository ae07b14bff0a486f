import { type Selectable, sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { ReviewSampleTable, ReviewSettingTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { COUNTED_MAX } from './queue-store.ts'

export type SampleRow = Selectable<ReviewSampleTable>

const SETTING = ['days', 'opens', 'closes', 'sample_percent'] as const

export const settingOf = (tx: Tx, participant_id: Uuid) =>
  tx.selectFrom('review_setting').select(SETTING).where('participant_id', '=', participant_id).executeTakeFirst()

/** Locked until the transaction ends. */
export const settingForUpdate = (tx: Tx, participant_id: Uuid) =>
  tx
    .selectFrom('review_setting')
    .select(SETTING)
    .where('participant_id', '=', participant_id)
    .forUpdate()
    .executeTakeFirst()

/** Replaces the whole; as the first only where there is none yet: false where another came between. */
export async function putSetting(tx: Tx, row: Selectable<ReviewSettingTable>, isFirst: boolean): Promise<boolean> {
  const { participant_id: _, ...set } = row
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('review_setting')
    .values(row)
    .onConflict((oc) => {
      const own = oc.column('participant_id')
      return isFirst ? own.doNothing() : own.doUpdateSet(set)
    })
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

// ---- samples

export async function insertSample(tx: Tx, row: SampleRow): Promise<void> {
  await tx.insertInto('review_sample').values(row).execute()
}

export interface Beside {
  who: string
  authority: number
  /** Names of another authority beside whom `who` is another person. */
  others: readonly string[] | 'all'
}

/**
 * Those that nobody decided a second time and somebody may, beside each who stood for the first decision; the oldest first. Chosen
 * here: what nobody who is present may answer stays, and would in the end hide all others.
 */
export const openSamples = (
  tx: Tx,
  participant_id: Uuid,
  { who, authority, others, limit }: Beside & { limit: number },
): Promise<SampleRow[]> => {
  const own = who.toLowerCase()
  const isOther = (name: 'decided_by' | 'approved_by') =>
    others === 'all' ? sql<boolean>`true` : sql<boolean>`${sql.ref(name)} = any(${others}::text[])`
  const isTwo = (name: 'decided_by' | 'approved_by') =>
    sql<boolean>`(lower(${sql.ref(name)}) <> ${own} and (authority = ${authority} or ${isOther(name)}))`
  return tx
    .selectFrom('review_sample')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('second_by', 'is', null)
    .where(isTwo('decided_by'))
    .where((eb) => eb.or([eb('approved_by', 'is', null), isTwo('approved_by')]))
    .orderBy('sample_id')
    .limit(limit)
    .execute()
}

export const sampleForUpdate = (tx: Tx, participant_id: Uuid, sample_id: Uuid): Promise<SampleRow | undefined> =>
  tx
    .selectFrom('review_sample')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('sample_id', '=', sample_id)
    .forUpdate()
    .executeTakeFirst()

export async function updateSample(
  tx: Tx,
  { participant_id, sample_id }: Pick<SampleRow, 'participant_id' | 'sample_id'>,
  change: Pick<SampleRow, 'second_verdict' | 'second_reason' | 'second_by' | 'second_authority' | 'second_at'> & {
    last_event: Uuid
  },
): Promise<void> {
  await tx
    .updateTable('review_sample')
    .set(change)
    .where('participant_id', '=', participant_id)
    .where('sample_id', '=', sample_id)
    .execute()
}

/** Of the samples since a moment: how many were decided a second time, and how many of them alike. */
export const sampleCounts = (tx: Tx, participant_id: Uuid, since: Date) =>
  tx
    .selectFrom((eb) =>
      eb
        .selectFrom('review_sample')
        .select(['verdict', 'second_verdict'])
        .where('participant_id', '=', participant_id)
        .where('opened_at', '>=', since)
        .limit(COUNTED_MAX + 1)
        .as('s'),
    )
    .select((eb) => [
      eb.fn.countAll<bigint>().as('opened'),
      eb.fn.countAll<bigint>().filterWhere('s.second_verdict', 'is not', null).as('answered'),
      eb.fn.countAll<bigint>().filterWhere('s.second_verdict', '=', eb.ref('s.verdict')).as('agreed'),
    ])
    .executeTakeFirstOrThrow()
