import { atControl, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, SLUG, type Uuid } from '../kernel/ids.ts'
import type { Recorder } from '../provenance/service.ts'
import { type Act, log } from './act.ts'
import * as people from './people-store.ts'
import { addPerson, grantRole, type NewPerson } from './person.ts'
import { publishPolicy } from './publication.ts'
import { AUDIENCE_KIND, AUDIENCE_MODE, type AudienceMode, type PolicyKind, type Role } from './schema.ts'
import * as store from './store.ts'

export interface NewProgramme {
  slug: string
  /** SPIFFE trust domain of every certificate. */
  trust_domain: string
  /** What submissions name as `aud`. */
  node_origin: string
  /** Two persons: from here on what needs two needs these two. */
  admins: readonly [NewPerson, NewPerson]
  governance?: NewPerson
  /** Of the audience of the whole programme; `full` unless said otherwise. */
  mode?: AudienceMode
  /** Exact texts; their digests are what the log names. */
  policies: readonly { kind: PolicyKind; version: number; body: string }[]
}

export interface InitContext {
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  recorder: Recorder
}

export interface InitResult extends store.Programme {
  /** False if the very same programme was there. */
  created: boolean
  admins: Uuid[]
  governance: Uuid | null
}

const TRUST_DOMAIN = /^[a-z0-9]([a-z0-9.-]{0,253}[a-z0-9])?$/

/** The programme that this database holds; undefined before `initProgramme`. */
export const loadProgramme = (db: Db): Promise<store.Programme | undefined> => store.programme(db)

/**
 * Makes the programme, its first people, its audience and policies in one logged transaction. Repeated with the same names
 * it changes nothing; with another one it is `state-conflict` and says which differs.
 */
export async function initProgramme(context: InitContext, input: NewProgramme): Promise<InitResult> {
  checkInput(input)
  return atControl(context.admin, async (tx) => {
    // Two that begin at once: the second waits here and then finds what the first made.
    await store.bumpEpoch(tx)
    const present = await store.programme(tx)
    return present === undefined ? create(context, tx, input) : samePeople(tx, present, input)
  })
}

async function create({ clock, recorder }: InitContext, tx: Tx, input: NewProgramme): Promise<InitResult> {
  const at = clock()
  const { slug, trust_domain, node_origin } = input
  const programme = { programme_id: newId(at), slug, trust_domain, node_origin }
  const context = { recorder, programme }
  const within = { tx, act: { at } }
  await store.insertProgramme(tx, { ...programme, created_at: at })
  const admins: Uuid[] = []
  for (const admin of input.admins) admins.push(await appoint(context, within, { person: admin, role: 'node_admin' }))
  const { governance } = input
  const governor = governance && (await appoint(context, within, { person: governance, role: 'governance' }))
  await openProgrammeAudience(context, within, input.mode ?? 'full')
  for (const policy of input.policies) await publishPolicy(context, within, policy)
  return { ...programme, created: true, admins, governance: governor ?? null }
}

type Records = Pick<Parameters<typeof log>[0], 'recorder' | 'programme'>

async function appoint(
  context: Records,
  within: { tx: Tx; act: Act },
  { person, role }: { person: NewPerson; role: Role },
): Promise<Uuid> {
  const { person_id } = await addPerson(context, within, person)
  await grantRole(context, within, { person: person_id, role })
  return person_id
}

async function openProgrammeAudience(
  context: Records,
  within: { tx: Tx; act: Act },
  mode: AudienceMode,
): Promise<void> {
  const { tx, act } = within
  const audience_id = newId(act.at)
  const label = context.programme.slug
  const event = await log(context, within, {
    kind: 'audience.changed',
    fields: { audience: audience_id, members: [], label, mode },
  })
  await store.insertAudience(
    tx,
    {
      ...{ audience_id, label },
      kind: AUDIENCE_KIND.programme,
      mode: AUDIENCE_MODE[mode],
      group_id: null,
      owner: null,
      last_event: event,
    },
    newId(act.at),
  )
}

/** The people that were named must be there with their roles; others may have come since. */
async function samePeople(tx: Tx, present: store.Programme, input: NewProgramme): Promise<InitResult> {
  for (const name of ['slug', 'trust_domain', 'node_origin'] as const) {
    if (present[name] !== input[name])
      throw new Refusal('state-conflict', { detail: `this node has a programme with another ${name}` })
  }
  const rows = await people.persons(tx)
  const held = await people.presentRoles(tx)
  const find = ({ name, organisation }: NewPerson, role: Role): Uuid => {
    const row = rows.find(
      (one) => one.name === name && one.organisation === organisation && held.get(one.person_id)?.includes(role),
    )
    if (row === undefined)
      throw new Refusal('state-conflict', { detail: `this node has a programme with another ${role}` })
    return row.person_id
  }
  const admins = input.admins.map((admin) => find(admin, 'node_admin'))
  const governance = input.governance === undefined ? null : find(input.governance, 'governance')
  return { ...present, created: false, admins, governance }
}

function checkInput({ slug, trust_domain, node_origin, admins: [first, second] }: NewProgramme): void {
  if (!SLUG.test(slug)) throw invalid('slug')
  if (!TRUST_DOMAIN.test(trust_domain)) throw invalid('trust_domain')
  if (!URL.canParse(node_origin) || new URL(node_origin).origin !== node_origin) throw invalid('node_origin')
  if (first.name === second.name && first.organisation === second.organisation)
    throw new Refusal('validation-failed', { detail: 'the two administrators are two persons' })
}

const invalid = (member: string): Refusal =>
  new Refusal('validation-failed', { errors: [{ pointer: `/${member}`, code: 'validation-failed' }] })
