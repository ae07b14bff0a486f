import type { Selectable } from 'kysely'
import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { ConformanceRunTable } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type ConformanceRun, stepsOf } from './schema.ts'

type RunRow = Selectable<ConformanceRunTable>

export async function insertRun(tx: Tx, row: RunRow): Promise<void> {
  await tx.insertInto('conformance_run').values(row).execute()
}

export async function runOf(
  tx: Tx,
  { participant_id, run_id }: Pick<RunRow, 'participant_id' | 'run_id'>,
): Promise<ConformanceRun | undefined> {
  const row = await tx
    .selectFrom('conformance_run')
    .select(['run_id', 'at', 'steps', 'passed'])
    .where('participant_id', '=', participant_id)
    .where('run_id', '=', run_id)
    .executeTakeFirst()
  return row === undefined ? undefined : { ...row, steps: stepsOf(row.steps) }
}

/** The newest run of an organisation, whether it passed or not. */
export const latestConformance = async (db: Db, participant: Uuid): Promise<ConformanceRun | undefined> =>
  (await newestRuns(db, participant, 1)).at(0)

export const newestRuns = (db: Db, participant: Uuid, limit: number): Promise<ConformanceRun[]> =>
  asParticipant(db, participant, async (tx) => {
    const rows = await tx
      .selectFrom('conformance_run')
      .select(['run_id', 'at', 'steps', 'passed'])
      .where('participant_id', '=', participant)
      .orderBy('at', 'desc')
      .orderBy('run_id', 'desc')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ ...row, steps: stepsOf(row.steps) }))
  })
