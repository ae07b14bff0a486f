import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export const preferenceOf = (db: Db, person_id: Uuid) =>
  db
    .selectFrom('console_preference')
    .select(['settings', 'notices_seen_at'])
    .where('person_id', '=', person_id)
    .executeTakeFirst()

export async function putSettings(db: Db, row: { person_id: Uuid; settings: string; updated_at: Date }): Promise<void> {
  const { settings, updated_at } = row
  await db
    .insertInto('console_preference')
    .values({ ...row, notices_seen_at: null })
    .onConflict((conflict) => conflict.column('person_id').doUpdateSet({ settings, updated_at }))
    .execute()
}

/** Never back: of two tabs the later one counts. */
export async function putSeen(
  db: Db,
  row: { person_id: Uuid; settings: string; notices_seen_at: Date; updated_at: Date },
): Promise<void> {
  const { notices_seen_at, updated_at } = row
  await db
    .insertInto('console_preference')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('person_id').doUpdateSet((eb) => ({
        notices_seen_at: eb.fn<Date>('greatest', ['console_preference.notices_seen_at', eb.val(notices_seen_at)]),
        updated_at,
      })),
    )
    .execute()
}

// ---- exposure

export const exposureOf = (db: Db, person_id: Uuid, day: string) =>
  db
    .selectFrom('console_exposure')
    .select(['seen', 'since_break', 'began_at', 'last_at'])
    .where('person_id', '=', person_id)
    .where('day', '=', day)
    .executeTakeFirst()

export const exposureSince = (db: Db, person_id: Uuid, day: string) =>
  db
    .selectFrom('console_exposure')
    .select(['day', 'seen'])
    .where('person_id', '=', person_id)
    .where('day', '>=', day)
    .orderBy('day', 'desc')
    .execute()

export async function putExposure(
  db: Db,
  row: { person_id: Uuid; day: string; seen: number; since_break: number; began_at: Date; last_at: Date },
): Promise<void> {
  const { seen, since_break, began_at, last_at } = row
  await db
    .insertInto('console_exposure')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['person_id', 'day']).doUpdateSet({ seen, since_break, began_at, last_at }),
    )
    .execute()
}

/** What is longer ago is nobody's business, not even the person's. */
export async function forgetExposure(db: Db, before: string): Promise<void> {
  await db.deleteFrom('console_exposure').where('day', '<', before).execute()
}
