import type { Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, SLUG, type Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, change, inRole, log } from './act.ts'
import { mayHoldTogether, maySeeTo, needsTwo, PARTNER_ROLES, type PersonInRole } from './approval-rule.ts'
import { endLoginsOf } from './login-store.ts'
import * as store from './people-store.ts'
import { PERSON_STATUS, type Role } from './schema.ts'

/** Roles of which somebody must remain, and how many. */
const REMAINING: readonly { role: Role; least: number; detail: string }[] = [
  // Fewer could approve nothing any more.
  { role: 'node_admin', least: 2, detail: 'two node administrators must remain; grant the role first' },
  // Administrators approve in its place while nobody holds it: that is for a programme that has just begun.
  { role: 'governance', least: 1, detail: 'a person of governance must remain; grant the role to another first' },
]

export interface NewPerson {
  name: string
  /** A participant's slug, or a name of the programme's own; persons of one organisation share it exactly. */
  organisation: string
}

export interface ListedPerson {
  person_id: Uuid
  organisation: string
  name: string
  active: boolean
  roles: readonly Role[]
}

/** An administrator of a partner does all of this for its own organisation and its own roles, and not to itself. Nobody grants itself a role. */
export interface People {
  /** A person without any role; `by` is an administrator. */
  addPerson(by: Uuid, person: NewPerson): Promise<{ person_id: Uuid }>
  /** Roles of partners; those of the node and of governance are `approval-missing` here and go through `role.grant`. */
  grantRole(by: Uuid, grant: { person: Uuid; role: Role }): Promise<void>
  /** Alone and at once. Refuses to leave fewer than two node administrators, and to end the last role of governance. */
  endRole(by: Uuid, grant: { person: Uuid; role: Role }): Promise<void>
  /** Alone and at once: roles and logins end with it, and no vote of the person counts any more. Refuses what `endRole` does. */
  endPerson(by: Uuid, person: Uuid): Promise<void>
  listPeople(): Promise<ListedPerson[]>
}

const ADMINS: readonly Role[] = ['node_admin', 'partner_admin']

export function createPeople(context: ActContext): People {
  return {
    addPerson: (by, person) =>
      change(context, async (tx, at) => {
        const { roles, organisation } = await inRole(tx, by, ADMINS)
        if (!roles.includes('node_admin') && organisation !== person.organisation) throw new Refusal('person-unknown')
        return addPerson(context, { tx, act: { at, person: by } }, person)
      }),
    grantRole: (by, { person, role }) =>
      change(context, async (tx, at) => {
        await mayChange(tx, by, { person, role })
        // A node administrator may give roles of its own up, and takes none.
        if (by === person) throw ownAccess()
        if (needsTwo(role)) throw new Refusal('approval-missing', { detail: 'propose role.grant' })
        await grantRole(context, { tx, act: { at, person: by } }, { person, role })
      }),
    endRole: (by, { person, role }) =>
      change(context, async (tx, at) => {
        await mayChange(tx, by, { person, role })
        const held = await store.presentRoles(tx)
        if (held.get(person)?.includes(role) !== true) throw new Refusal('not-found')
        refuseTooFew(await store.countingRoles(tx), (whom, one) => whom === person && one === role)
        const event = await log(
          context,
          { tx, act: { at, person: by } },
          { kind: 'role.changed', fields: { whom: person, role, what: 'ended' } },
        )
        await store.endRole(tx, { person_id: person, role }, { ended_at: at, last_event: event })
      }),
    endPerson: (by, person) =>
      change(context, async (tx, at) => {
        const whom = await mayChange(tx, by, { person })
        refuseTooFew(await store.countingRoles(tx), (one) => one === person)
        const { organisation } = whom
        const event = await log(
          context,
          { tx, act: { at, person: by } },
          { kind: 'person.left', fields: { whom: person, organisation } },
        )
        const ended = { ended_at: at, last_event: event }
        await store.endRoles(tx, person, ended)
        await endLoginsOf(tx, person, ended)
        await store.setPersonStatus(tx, person, { status: PERSON_STATUS.left, last_event: event })
      }),
    listPeople: async () => {
      const [rows, held] = [await store.persons(context.admin), await store.presentRoles(context.admin)]
      return rows.map(({ person_id, organisation, name, status }) => ({
        person_id,
        organisation,
        name,
        active: status === PERSON_STATUS.active,
        roles: held.get(person_id) ?? [],
      }))
    },
  }
}

const ownAccess = (): Refusal =>
  new Refusal('policy-refused', { detail: 'nobody changes their own access; ask another administrator' })

/** The person whom an administrator changes; `person-unknown` for one whom it may not, `not-found` for one who is not there. */
async function mayChange(tx: Tx, by: Uuid, { person, role }: { person: Uuid; role?: Role }): Promise<PersonInRole> {
  const admin = await inRole(tx, by, ADMINS)
  const whom = await store.personInRole(tx, person)
  const ofPartner = !admin.roles.includes('node_admin')
  // An administrator of a partner is not told who else is in the programme.
  if (whom === undefined || (ofPartner && whom.organisation !== admin.organisation))
    throw new Refusal('not-found', { detail: 'there is no such person' })
  if (!maySeeTo(admin, whom)) throw ownAccess()
  const touched = role === undefined ? whom.roles : [role]
  if (ofPartner && !touched.every((one) => PARTNER_ROLES.includes(one)))
    throw new Refusal('policy-refused', { detail: 'roles of the programme are for its node administrators' })
  return whom
}

/** Refuses to end roles of which too few would remain. `ends`: whose role would not count any more. */
export function refuseTooFew(
  counting: ReadonlyMap<Uuid, readonly Role[]>,
  ends: (person: Uuid, role: Role) => boolean,
): void {
  for (const { role, least, detail } of REMAINING) {
    const holders = [...counting].flatMap(([person, roles]) => (roles.includes(role) ? [person] : []))
    const left = holders.filter((person) => !ends(person, role)).length
    if (left < holders.length && left < least) throw new Refusal('policy-refused', { detail })
  }
}

/** Part of a larger change: the caller has seen to who may do it. */
export async function addPerson(
  context: Pick<ActContext, 'recorder' | 'programme'>,
  within: { tx: Tx; act: Act },
  { name, organisation }: NewPerson,
): Promise<{ person_id: Uuid }> {
  if (!SLUG.test(organisation) || name.trim() === '' || name.length > 120)
    throw new Refusal('validation-failed', { detail: 'a person has a name and the slug of an organisation' })
  const person_id = newId(within.act.at)
  const event = await log(context, within, { kind: 'person.added', fields: { whom: person_id, organisation } })
  await store.insertPerson(within.tx, {
    person_id,
    organisation,
    name,
    status: PERSON_STATUS.active,
    last_event: event,
  })
  return { person_id }
}

/** Part of a larger change. Refuses roles that one person may not hold together, and a role already held. */
export async function grantRole(
  context: Pick<ActContext, 'recorder' | 'programme'>,
  within: { tx: Tx; act: Act },
  { person, role }: { person: Uuid; role: Role },
): Promise<void> {
  const { tx, act } = within
  const known = await store.personInRole(tx, person)
  if (known === undefined) throw new Refusal('not-found', { detail: 'there is no such person' })
  const held = (await store.presentRoles(tx)).get(person) ?? []
  if (held.includes(role)) throw new Refusal('state-conflict', { detail: 'the person holds this role' })
  if (!mayHoldTogether(held, role))
    throw new Refusal('policy-refused', { detail: 'one person may not hold these roles together' })
  const event = await log(context, within, { kind: 'role.changed', fields: { whom: person, role, what: 'granted' } })
  await store.insertRole(tx, { person_id: person, role, granted_at: act.at, last_event: event })
}
