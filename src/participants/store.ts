import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { AUDIENCE_KIND, FEED_KIND } from './schema.ts'

export interface Programme {
  programme_id: Uuid
  slug: string
  trust_domain: string
  node_origin: string
}

/** Tells every process to read the reference tables again, and makes changes of them wait for one another. */
export async function bumpEpoch(tx: Tx): Promise<void> {
  await tx.updateTable('authority_epoch').set({ epoch: sql<bigint>`epoch + 1` }).where('one', '=', 1).execute()
}

/** Makes changes of the reference tables wait for one another, and tells nobody. */
export async function lockEpoch(tx: Tx): Promise<void> {
  await tx.selectFrom('authority_epoch').select('epoch').where('one', '=', 1).forUpdate().execute()
}

// ---- the programme

export const programme = (db: Db | Tx): Promise<Programme | undefined> =>
  db.selectFrom('programme').select(['programme_id', 'slug', 'trust_domain', 'node_origin']).executeTakeFirst()

export async function insertProgramme(tx: Tx, row: Programme & { created_at: Date }): Promise<void> {
  await tx.insertInto('programme').values(row).execute()
}

export interface PolicyRow {
  kind: string
  version: number
  digest: Buffer
  body: string
  published_at: Date
  last_event: Uuid
}

export async function insertPolicy(tx: Tx, row: PolicyRow): Promise<void> {
  await tx.insertInto('policy').values(row).execute()
}

/** Every version, the newest first. */
export const policies = (db: Db): Promise<PolicyRow[]> =>
  db
    .selectFrom('policy')
    .select(['kind', 'version', 'digest', 'body', 'published_at', 'last_event'])
    .orderBy('published_at', 'desc')
    .orderBy('kind')
    .orderBy('version', 'desc')
    .execute()

export const policyVersion = async (tx: Tx, kind: string): Promise<number> => {
  const row = await tx
    .selectFrom('policy')
    .select('version')
    .where('kind', '=', kind)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.version ?? 0
}

/** Every version of a policy. */
export const policyBodies = async (tx: Tx, kind: string): Promise<string[]> =>
  (await tx.selectFrom('policy').select('body').where('kind', '=', kind).execute()).map(({ body }) => body)

/** A version of a policy: the newest, or the one before another. */
export const policyBody = (
  tx: Tx,
  kind: string,
  before?: number,
): Promise<{ version: number; body: string } | undefined> => {
  let query = tx.selectFrom('policy').select(['version', 'body']).where('kind', '=', kind)
  if (before !== undefined) query = query.where('version', '<', before)
  return query.orderBy('version', 'desc').limit(1).executeTakeFirst()
}

// ---- participants

export interface ParticipantRow {
  participant_id: Uuid
  slug: string
  name: string
  kind: number
  status: number
  probation_until: Date | null
}

const PARTICIPANT = ['participant_id', 'slug', 'name', 'kind', 'status', 'probation_until'] as const

export const participantBySlug = (db: Db | Tx, slug: string): Promise<ParticipantRow | undefined> =>
  db.selectFrom('participant').select(PARTICIPANT).where('slug', '=', slug).executeTakeFirst()

export const participantById = (db: Db | Tx, participant_id: Uuid): Promise<ParticipantRow | undefined> =>
  db.selectFrom('participant').select(PARTICIPANT).where('participant_id', '=', participant_id).executeTakeFirst()

export async function insertParticipant(
  tx: Tx,
  row: ParticipantRow & { admitted_at: Date; last_event: Uuid },
): Promise<void> {
  await tx.insertInto('participant').values(row).execute()
}

export async function setParticipantStatus(
  tx: Tx,
  participant_id: Uuid,
  change: { status: number; last_event: Uuid },
): Promise<void> {
  await tx.updateTable('participant').set(change).where('participant_id', '=', participant_id).execute()
}

export async function endProbation(tx: Tx, participant_id: Uuid, last_event: Uuid): Promise<void> {
  await tx
    .updateTable('participant')
    .set({ probation_until: null, last_event })
    .where('participant_id', '=', participant_id)
    .execute()
}

// ---- audiences and feeds

export interface AudienceRow {
  audience_id: Uuid
  kind: number
  mode: number
  group_id: Uuid | null
  owner: Uuid | null
  label: string
  last_event: Uuid
}

/** An audience with its feed, which is empty and starts at sequence 1. */
export async function insertAudience(tx: Tx, row: AudienceRow, feed_id: Uuid): Promise<void> {
  await tx.insertInto('audience').values(row).execute()
  await insertFeed(tx, { feed_id, kind: FEED_KIND.audience, audience_id: row.audience_id, participant_id: null })
}

export async function insertInbox(tx: Tx, participant_id: Uuid, feed_id: Uuid): Promise<void> {
  await insertFeed(tx, { feed_id, kind: FEED_KIND.inbox, audience_id: null, participant_id })
}

async function insertFeed(
  tx: Tx,
  row: { feed_id: Uuid; kind: number; audience_id: Uuid | null; participant_id: Uuid | null },
): Promise<void> {
  await tx
    .insertInto('feed')
    .values({ ...row, log_id: 1 })
    .execute()
  await tx
    .insertInto('feed_head')
    .values({
      feed_id: row.feed_id,
      next_seq: 1n,
      applied_idx: -1n,
      added_us: 0n,
      retained_from: 1n,
      sealed_seq: 0n,
      erasures: 0n,
    })
    .execute()
}

export const programmeAudience = (tx: Tx): Promise<{ audience_id: Uuid } | undefined> =>
  tx.selectFrom('audience').select('audience_id').where('kind', '=', AUDIENCE_KIND.programme).executeTakeFirst()

/** Members see the whole history, so who comes back opens the row that leaving closed. */
export async function joinAudience(tx: Tx, audience_id: Uuid, participants: readonly Uuid[]): Promise<void> {
  if (participants.length === 0) return
  await tx
    .insertInto('audience_member')
    .values(participants.map((participant_id) => ({ audience_id, participant_id, from_seq: 1n, until_seq: null })))
    .onConflict((oc) => oc.columns(['audience_id', 'participant_id', 'from_seq']).doUpdateSet({ until_seq: null }))
    .execute()
}

export async function leaveAudience(
  tx: Tx,
  member: { audience_id: Uuid; participant_id: Uuid; until_seq: bigint },
): Promise<void> {
  await tx
    .updateTable('audience_member')
    .set({ until_seq: member.until_seq })
    .where('audience_id', '=', member.audience_id)
    .where('participant_id', '=', member.participant_id)
    .where('until_seq', 'is', null)
    .execute()
}

/** The last sequence given so far in each feed of an audience that the participant of the transaction is in. */
export const lastSequences = async (tx: Tx<'participant'>, me: Uuid): Promise<Map<Uuid, bigint>> => {
  const feeds = await tx
    .selectFrom('feed as f')
    .innerJoin('audience_member as m', 'm.audience_id', 'f.audience_id')
    .select(['f.feed_id', 'm.audience_id'])
    .where('m.participant_id', '=', me)
    .where('m.until_seq', 'is', null)
    .execute()
  const heads = await tx
    .selectFrom('feed_head')
    .select(['feed_id', 'next_seq'])
    .where(sql<boolean>`feed_id = any(${feeds.map(({ feed_id }) => feed_id)}::uuid[])`)
    .execute()
  const next = new Map(heads.map(({ feed_id, next_seq }) => [feed_id, next_seq]))
  return new Map(feeds.map(({ feed_id, audience_id }) => [audience_id, (next.get(feed_id) ?? 1n) - 1n]))
}

export const audienceById = (tx: Tx, audience_id: Uuid) =>
  tx.selectFrom('audience').select(['owner', 'label', 'mode']).where('audience_id', '=', audience_id).executeTakeFirst()

export const membersOfAudience = async (tx: Tx, audience_id: Uuid): Promise<Uuid[]> =>
  (
    await tx.selectFrom('audience_member').select('participant_id').where('audience_id', '=', audience_id).execute()
  ).map(({ participant_id }) => participant_id)

export const namedAudiencesOf = async (tx: Tx, owner: Uuid): Promise<number> =>
  (await tx.selectFrom('audience').select('audience_id').where('owner', '=', owner).execute()).length

// ---- groups

export interface GroupRow {
  group_id: Uuid
  slug: string
  audience_id: Uuid
  ended_at: Date | null
}

export const groupBySlug = (tx: Tx, slug: string): Promise<GroupRow | undefined> =>
  tx
    .selectFrom('participant_group as g')
    .innerJoin('audience as a', 'a.group_id', 'g.group_id')
    .select(['g.group_id', 'g.slug', 'g.ended_at', 'a.audience_id'])
    .where('g.slug', '=', slug)
    .executeTakeFirst()

/** Those that have not ended, with the slugs of their present members. */
export async function groupsWithMembers(tx: Tx) {
  const groups = await tx
    .selectFrom('participant_group as g')
    .innerJoin('audience as a', 'a.group_id', 'g.group_id')
    .select(['g.group_id', 'g.slug', 'g.name', 'a.audience_id as audience', 'a.mode'])
    .where('g.ended_at', 'is', null)
    .orderBy('g.slug')
    .execute()
  const members = await tx
    .selectFrom('group_member as m')
    .innerJoin('participant as p', 'p.participant_id', 'm.participant_id')
    .select(['m.group_id', 'p.slug'])
    .where('m.left_at', 'is', null)
    .orderBy('p.slug')
    .execute()
  return groups.map(({ group_id, ...group }) => ({
    ...group,
    members: members.filter((one) => one.group_id === group_id).map(({ slug }) => slug),
  }))
}

export async function endGroup(tx: Tx, group_id: Uuid, change: { ended_at: Date; last_event: Uuid }): Promise<void> {
  await tx.updateTable('participant_group').set(change).where('group_id', '=', group_id).execute()
}

export const feedOfAudience = async (tx: Tx, audience_id: Uuid): Promise<Uuid | undefined> =>
  (await tx.selectFrom('feed').select('feed_id').where('audience_id', '=', audience_id).executeTakeFirst())?.feed_id

/** How many entries a feed has had. */
export const entriesOf = async (tx: Tx<'participant'>, feed_id: Uuid): Promise<bigint> => {
  const head = await tx.selectFrom('feed_head').select('next_seq').where('feed_id', '=', feed_id).executeTakeFirst()
  return (head?.next_seq ?? 1n) - 1n
}

export async function insertGroup(
  tx: Tx,
  row: { group_id: Uuid; slug: string; name: string; last_event: Uuid },
): Promise<void> {
  await tx
    .insertInto('participant_group')
    .values({ ...row, ended_at: null })
    .execute()
}

export async function touchGroup(tx: Tx, group_id: Uuid, last_event: Uuid): Promise<void> {
  await tx.updateTable('participant_group').set({ last_event }).where('group_id', '=', group_id).execute()
}

export const membersOfGroup = async (tx: Tx, group_id: Uuid): Promise<Set<Uuid>> => {
  const rows = await tx
    .selectFrom('group_member')
    .select('participant_id')
    .where('group_id', '=', group_id)
    .where('left_at', 'is', null)
    .execute()
  return new Set(rows.map(({ participant_id }) => participant_id))
}

export async function joinGroup(
  tx: Tx,
  group_id: Uuid,
  joining: { participants: readonly Uuid[]; joined_at: Date; last_event: Uuid },
): Promise<void> {
  const { participants, joined_at, last_event } = joining
  if (participants.length === 0) return
  await tx
    .insertInto('group_member')
    .values(participants.map((participant_id) => ({ group_id, participant_id, joined_at, left_at: null, last_event })))
    .execute()
}

/** From one group, or from every one. */
export async function leaveGroups(
  tx: Tx,
  participant_id: Uuid,
  leaving: { group_id?: Uuid; left_at: Date; last_event: Uuid },
): Promise<void> {
  const { group_id, left_at, last_event } = leaving
  let query = tx
    .updateTable('group_member')
    .set({ left_at, last_event })
    .where('participant_id', '=', participant_id)
    .where('left_at', 'is', null)
  if (group_id !== undefined) query = query.where('group_id', '=', group_id)
  await query.execute()
}

// ---- hash profiles

export interface HashProfileRow {
  kid: string
  suite: string
  status: number
  not_before: Date
  not_after: Date
  last_event: Uuid
  public_key: Buffer | null
  /** JSON. */
  shares: string | null
  published: Uuid
}

type KnownHashProfile = Pick<HashProfileRow, 'kid' | 'suite' | 'status' | 'not_before' | 'not_after'>

export const hashProfile = (tx: Tx, kid: string): Promise<KnownHashProfile | undefined> =>
  tx
    .selectFrom('hash_profile')
    .select(['kid', 'suite', 'status', 'not_before', 'not_after'])
    .where('kid', '=', kid)
    .executeTakeFirst()

export async function insertHashProfile(tx: Tx, row: HashProfileRow): Promise<void> {
  await tx.insertInto('hash_profile').values(row).execute()
}

export async function setHashProfile(tx: Tx, kid: string, change: { status: number; last_event: Uuid }): Promise<void> {
  await tx.updateTable('hash_profile').set(change).where('kid', '=', kid).execute()
}

/** Undefined where nobody set another number than the usual one. */
export const quotaOf = async (tx: Tx, participant_id: Uuid, purpose: string): Promise<number | undefined> => {
  const row = await tx
    .selectFrom('evaluation_quota')
    .select('per_day')
    .where('participant_id', '=', participant_id)
    .where('purpose', '=', purpose)
    .executeTakeFirst()
  return row?.per_day
}

export async function setQuota(
  tx: Tx,
  row: { participant_id: Uuid; purpose: string; per_day: number; last_event: Uuid },
): Promise<void> {
  const { per_day, last_event } = row
  await tx
    .insertInto('evaluation_quota')
    .values(row)
    .onConflict((oc) => oc.columns(['participant_id', 'purpose']).doUpdateSet({ per_day, last_event }))
    .execute()
}

// ---- collections that are held

export interface Collection {
  region: string
  legal_basis: string
  surface: string
}

export const isHeld = async (tx: Tx, { region, legal_basis, surface }: Collection): Promise<boolean> => {
  const row = await tx
    .selectFrom('hold_switch')
    .select('held')
    .where('region', '=', region)
    .where('legal_basis', '=', legal_basis)
    .where('surface', '=', surface)
    .executeTakeFirst()
  return row?.held === true
}

export async function setHold(tx: Tx, row: Collection & { held: boolean; last_event: Uuid }): Promise<void> {
  const { held, last_event } = row
  await tx
    .insertInto('hold_switch')
    .values(row)
    .onConflict((oc) => oc.columns(['region', 'legal_basis', 'surface']).doUpdateSet({ held, last_event }))
    .execute()
}
