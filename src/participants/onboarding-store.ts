import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import { belowOf, type PageAsked } from '../kernel/page.ts'

export interface OnboardingRow {
  onboarding_id: Uuid
  slug: string
  name: string
  kind: number
  opened_by: Uuid
  opened_at: Date
  outcome: number | null
  closed_at: Date | null
  last_event: Uuid
}

export interface ItemRow {
  onboarding_id: Uuid
  item: string
  state: number
  version: string | null
  digest: Buffer
  signatory: string | null
  provided_by: Uuid
  provided_at: Date
  judged_by: Uuid | null
  judged_at: Date | null
  last_event: Uuid
}

/** The newest first. */
export const onboardings = (tx: Tx, asked: PageAsked): Promise<OnboardingRow[]> =>
  tx
    .selectFrom('onboarding')
    .selectAll()
    .where('onboarding_id', '<', belowOf(asked))
    .orderBy('onboarding_id', 'desc')
    .limit(asked.limit)
    .execute()

export const onboardingOf = (tx: Tx, onboarding_id: Uuid): Promise<OnboardingRow | undefined> =>
  tx.selectFrom('onboarding').selectAll().where('onboarding_id', '=', onboarding_id).executeTakeFirst()

export const itemsOf = (tx: Tx, onboardings: readonly Uuid[]): Promise<ItemRow[]> =>
  tx.selectFrom('onboarding_item').selectAll().where('onboarding_id', 'in', onboardings).execute()

export const openOnboarding = (tx: Tx, slug: string): Promise<OnboardingRow | undefined> =>
  tx.selectFrom('onboarding').selectAll().where('slug', '=', slug).where('closed_at', 'is', null).executeTakeFirst()

/** Locked, so that an item is not judged while it is provided anew. */
export const onboardingForUpdate = (tx: Tx, onboarding_id: Uuid): Promise<OnboardingRow | undefined> =>
  tx.selectFrom('onboarding').selectAll().where('onboarding_id', '=', onboarding_id).forUpdate().executeTakeFirst()

export async function insertOnboarding(tx: Tx, row: OnboardingRow): Promise<void> {
  await tx.insertInto('onboarding').values(row).execute()
}

export async function closeOnboarding(
  tx: Tx,
  onboarding_id: Uuid,
  change: { outcome: number; closed_at: Date; last_event: Uuid },
): Promise<void> {
  await tx.updateTable('onboarding').set(change).where('onboarding_id', '=', onboarding_id).execute()
}

export async function putItem(tx: Tx, row: ItemRow): Promise<void> {
  const { onboarding_id: _, item: _item, ...change } = row
  await tx
    .insertInto('onboarding_item')
    .values(row)
    .onConflict((oc) => oc.columns(['onboarding_id', 'item']).doUpdateSet(change))
    .execute()
}

export async function insertAgreement(
  tx: Tx,
  row: {
    participant_id: Uuid
    version: string
    digest: Buffer
    signatory: string
    accepted_at: Date
    last_event: Uuid
  },
): Promise<void> {
  await tx.insertInto('agreement').values(row).execute()
}
