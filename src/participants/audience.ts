import type { Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, changeOnce, log } from './act.ts'
import { seesSignals } from './policy.ts'
import {
  AUDIENCE_KIND,
  AUDIENCE_MODE,
  type NamedAudience,
  nameOf,
  PARTICIPANT_KIND,
  PARTICIPANT_STATUS,
} from './schema.ts'
import * as store from './store.ts'

/** Named audiences that one participant may have made. */
const NAMED_MAX = 200

export interface Audiences {
  /**
   * A participant's own act, under an id of its choice; the maker is a member, and nobody is added or taken out later.
   * Repeated with the same content it changes nothing; with another it is `state-conflict`.
   */
  createNamedAudience(owner: Uuid, audience_id: Uuid, audience: NamedAudience): Promise<{ created: boolean }>
}

export function createAudiences(context: ActContext): Audiences {
  return {
    createNamedAudience: (owner, audience_id, audience) =>
      changeOnce<{ created: boolean }>(context, async (tx, at) => {
        const me = await store.participantById(tx, owner)
        if (me === undefined || !mayReceive(me)) throw new Refusal('policy-refused')
        const members = [...new Set([owner, ...(await receivers(tx, audience.members))])]
        const present = await store.audienceById(tx, audience_id)
        if (present === undefined) {
          await insertNamed(context, { tx, act: { at } }, { me, audience_id, audience, members })
          return { result: { created: true }, changed: true }
        }
        const same = present.owner === owner && present.label === audience.label
        if (!same || !equalSets(new Set(members), new Set(await store.membersOfAudience(tx, audience_id))))
          // Told also of one that the owner may not see: signed items name this id, so no two owners can have the same.
          throw new Refusal('state-conflict', { detail: 'this id was used for another audience' })
        keepsMode(present, audience)
        return { result: { created: false }, changed: false }
      }),
  }
}

function keepsMode(present: { mode: number }, { mode }: NamedAudience): void {
  if (present.mode !== AUDIENCE_MODE[mode]) throw new Refusal('audience-mode-fixed')
}

const equalSets = (a: ReadonlySet<Uuid>, b: ReadonlySet<Uuid>): boolean =>
  a.size === b.size && [...a].every((one) => b.has(one))

interface Named {
  me: store.ParticipantRow
  audience_id: Uuid
  audience: NamedAudience
  members: readonly Uuid[]
}

async function insertNamed(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { me, audience_id, audience: { label, mode, members: others }, members }: Named,
): Promise<void> {
  const { tx, act } = within
  const owner = me.participant_id
  if ((await store.namedAudiencesOf(tx, owner)) >= NAMED_MAX)
    throw new Refusal('policy-refused', { detail: `at most ${NAMED_MAX} named audiences`, extra: { limit: NAMED_MAX } })
  const slugs = [...new Set([me.slug, ...others])].sort()
  const event = await log(context, within, {
    ...{ kind: 'audience.changed', actor: me.slug, participant_id: owner },
    fields: { audience: audience_id, members: slugs, label, mode },
  })
  const row = { audience_id, owner, label, group_id: null, last_event: event }
  const kinds = { kind: AUDIENCE_KIND.named, mode: AUDIENCE_MODE[mode] }
  await store.insertAudience(tx, { ...row, ...kinds }, newId(act.at))
  await store.joinAudience(tx, audience_id, members)
}

/** Participants that may be given signals; one that may not is named by its place, like one that does not exist. */
export async function receivers(tx: Tx, slugs: readonly string[]): Promise<Uuid[]> {
  const ids: Uuid[] = []
  for (const [at, slug] of slugs.entries()) {
    const row = await store.participantBySlug(tx, slug)
    if (row === undefined || !mayReceive(row)) throw unknownMember(at)
    ids.push(row.participant_id)
  }
  return ids
}

export async function known(tx: Tx, slugs: readonly string[]): Promise<Uuid[]> {
  const ids: Uuid[] = []
  for (const [at, slug] of slugs.entries()) {
    const row = await store.participantBySlug(tx, slug)
    if (row === undefined) throw unknownMember(at)
    ids.push(row.participant_id)
  }
  return ids
}

const mayReceive = ({ kind, status }: store.ParticipantRow): boolean =>
  status === PARTICIPANT_STATUS.active && seesSignals(nameOf(PARTICIPANT_KIND, kind))

const unknownMember = (at: number): Refusal =>
  new Refusal('validation-failed', {
    errors: [{ pointer: `/members/${at}`, code: 'not-found', detail: 'no participant that can receive signals' }],
  })
