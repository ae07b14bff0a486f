import { asParticipant, atControl, type Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, log } from './act.ts'
import type { PayloadOf } from './action.ts'
import { known, receivers } from './audience.ts'
import { feedEnds } from './member.ts'
import { AUDIENCE_KIND, AUDIENCE_MODE, type AudienceMode, nameOf } from './schema.ts'
import * as store from './store.ts'

type Change = Omit<PayloadOf<'group.change'>, 'effective_at'>

export interface ListedGroup {
  slug: string
  name: string
  audience: Uuid
  mode: AudienceMode
  members: readonly string[]
}

/** What a change would do, without doing it. */
export interface GroupEffect {
  before: readonly string[]
  after: readonly string[]
  /** Entries of its feed, all of which who joins would be given. */
  history: number
  /** Whether the change has to say that it means that. */
  widens: boolean
}

export interface Groups {
  /** Those that have not ended, by slug. */
  groups(): Promise<ListedGroup[]>
  /** Refuses what the change itself would refuse, but for a history that it does not say it includes. */
  groupEffect(change: Change): Promise<GroupEffect>
}

export const createGroups = (context: Pick<ActContext, 'admin' | 'app'>): Groups => ({
  groups: () =>
    atControl(context.admin, async (tx) =>
      (await store.groupsWithMembers(tx)).map(({ mode, ...group }) => ({
        ...group,
        mode: nameOf(AUDIENCE_MODE, mode),
      })),
    ),
  groupEffect: (change) =>
    atControl(context.admin, async (tx) => {
      const { row, joining } = await checked(tx, change)
      const { group, join, leave } = change
      const before = await membersNow(tx, group)
      const after = [...before.filter((slug) => !leave.includes(slug)), ...join].sort()
      const history = await historyOf(context, tx, row.audience_id)
      return { before, after, history, widens: joining.length > 0 && history > 0 }
    }),
})

/** A group is an audience with a feed of its own. */
export async function createGroup(
  context: ActContext,
  { tx, act }: { tx: Tx; act: Act },
  { slug, name, mode, members }: PayloadOf<'group.create'>,
): Promise<{ group_id: Uuid; audience_id: Uuid }> {
  if ((await store.groupBySlug(tx, slug)) !== undefined)
    throw new Refusal('state-conflict', { detail: 'there is a group of this name' })
  const participants = await receivers(tx, members)
  const group_id = newId(act.at)
  const audience_id = newId(act.at)
  const event = await log(
    context,
    { tx, act },
    { kind: 'group.changed', fields: { group: slug, joined: [...members].sort(), audience: audience_id, mode } },
  )
  await store.insertGroup(tx, { group_id, slug, name, last_event: event })
  await store.insertAudience(
    tx,
    {
      ...{ audience_id, group_id, label: name },
      kind: AUDIENCE_KIND.group,
      mode: AUDIENCE_MODE[mode],
      owner: null,
      last_event: event,
    },
    newId(act.at),
  )
  await store.joinGroup(tx, group_id, { participants, joined_at: act.at, last_event: event })
  await store.joinAudience(tx, audience_id, participants)
  return { group_id, audience_id }
}

/**
 * Who joins sees the whole history, so that whoever shared in it reaches more than its source knew of: the change says that
 * it means that, or is refused. Who leaves sees nothing that comes after.
 */
export async function changeGroup(
  context: ActContext,
  { tx, act }: { tx: Tx; act: Act },
  { group, join, leave, history }: PayloadOf<'group.change'>,
): Promise<void> {
  const { row, joining, leaving } = await checked(tx, { group, join, leave })
  if (joining.length > 0 && history !== 'included') {
    const entries = await historyOf(context, tx, row.audience_id)
    if (entries > 0)
      throw new Refusal('audience-widened', {
        detail: 'the change has to say that history is included',
        extra: { entries },
      })
  }
  const fields = { group, joined: [...join].sort(), left: [...leave].sort(), audience: row.audience_id }
  const event = await log(context, { tx, act }, { kind: 'group.changed', fields })
  await store.touchGroup(tx, row.group_id, event)
  await store.joinGroup(tx, row.group_id, { participants: joining, joined_at: act.at, last_event: event })
  await store.joinAudience(tx, row.audience_id, joining)
  await leaveAll(context, { tx, act }, { row, leaving, event })
}

/** For good: everybody leaves, and its name is never used again. */
export async function endGroup(
  context: ActContext,
  { tx, act }: { tx: Tx; act: Act },
  { group }: PayloadOf<'group.end'>,
): Promise<void> {
  const row = await groupOf(tx, group)
  const leaving = [...(await store.membersOfGroup(tx, row.group_id))]
  const fields = { group, left: await membersNow(tx, group), audience: row.audience_id }
  const event = await log(context, { tx, act }, { kind: 'group.ended', fields })
  await store.endGroup(tx, row.group_id, { ended_at: act.at, last_event: event })
  await leaveAll(context, { tx, act }, { row, leaving, event })
}

/** By slug, in their order. */
const membersNow = async (tx: Tx, group: string): Promise<readonly string[]> =>
  (await store.groupsWithMembers(tx)).find(({ slug }) => slug === group)?.members ?? []

async function leaveAll(
  context: ActContext,
  { tx, act }: { tx: Tx; act: Act },
  { row, leaving, event }: { row: store.GroupRow; leaving: readonly Uuid[]; event: Uuid },
): Promise<void> {
  const { audience_id, group_id } = row
  for (const participant_id of leaving) {
    const until_seq = (await feedEnds(context, participant_id)).get(audience_id) ?? 0n
    await store.leaveGroups(tx, participant_id, { group_id, left_at: act.at, last_event: event })
    await store.leaveAudience(tx, { audience_id, participant_id, until_seq })
  }
}

async function groupOf(tx: Tx, slug: string): Promise<store.GroupRow> {
  const row = await store.groupBySlug(tx, slug)
  if (row === undefined || row.ended_at !== null)
    throw new Refusal('not-found', { detail: 'there is no group of this name' })
  return row
}

async function checked(tx: Tx, { group, join, leave }: Change) {
  const row = await groupOf(tx, group)
  if (join.some((slug) => leave.includes(slug)))
    throw new Refusal('validation-failed', { detail: 'joins and leaves at once' })
  const present = await store.membersOfGroup(tx, row.group_id)
  const joining = await receivers(tx, join)
  const leaving = await known(tx, leave)
  if (joining.some((id) => present.has(id)) || leaving.some((id) => !present.has(id)))
    throw new Refusal('state-conflict', { detail: 'joins as a member or leaves as none' })
  return { row, joining, leaving }
}

/** Entries of the feed, as somebody sees them who is or was a member; nobody else ever shared there. */
async function historyOf({ app }: Pick<ActContext, 'app'>, tx: Tx, audience_id: Uuid): Promise<number> {
  const [someone] = await store.membersOfAudience(tx, audience_id)
  const feed = await store.feedOfAudience(tx, audience_id)
  if (someone === undefined || feed === undefined) return 0
  return Number(await asParticipant(app, someone, (own) => store.entriesOf(own, feed)))
}
