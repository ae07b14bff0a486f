import type { Entry } from './entry.ts'
import { type EntryCheck, type Faults, gatherFaults } from './faults.ts'
import { numbered } from './finding.ts'
import { GRACE_MS, type KnownActor, type Programme } from './programme.ts'

/** The scope that a credential needs for what it did. */
const SCOPE: ReadonlyMap<string, string> = new Map([
  ['signal.submitted', 'signals:submit'],
  ['signal.revised', 'signals:submit'],
  ['signal.withdrawn', 'signals:withdraw'],
  ['value.sealed', 'signals:submit'],
  ['value.removed', 'signals:submit'],
  ['value.revealed', 'reveal'],
])

/** What a submission leaves its signals in; nothing else changes any. */
const LEAVES: ReadonlyMap<string, string> = new Map([
  ['signal.submitted', 'live'],
  ['signal.revised', 'live'],
  ['signal.withdrawn', 'withdrawn'],
])

/** Roles whose holders may end a signal of their organisation. */
const SPEAKERS = ['lead', 'partner_admin'] as const
/** Roles whose holders may reveal what is sealed. */
const READERS = ['analyst', 'lead'] as const

/** Why a node moves cases by itself. */
const BY_ITSELF: ReadonlySet<unknown> = new Set([
  ...['signal_ended', 'revised', 'erased', 'time_over', 'answered'],
  ...['routing_rule', 'dispute', 'lifecycle', 'question'],
])

/** Check 11: whoever acted took part at that index; a submission's credential was good and scoped, and so was the key that signed it. */
export function checkAuthority(programme: Programme): EntryCheck {
  const check = numbered(11, 'authority')
  const faults = gatherFaults(check)
  let acts = 0
  let attested = 0
  return {
    entry(entry) {
      checkChanges(entry, faults)
      const actor = entry.fields.get('actor')
      if (typeof actor !== 'string' || actor === 'node') return
      acts += 1
      checkParticipant(programme, { entry, actor, faults })
      const scope = SCOPE.get(entry.kind)
      if (scope === undefined) return
      if (entry.kind === 'signal.withdrawn' && entry.fields.get('authority') === 'node_attested') {
        attested += 1
        checkPerson(programme, { entry, actor, faults, roles: SPEAKERS })
        return
      }
      checkScoped(programme, { entry, actor, scope, faults })
    },
    cut: faults.cut,
    end: () =>
      faults.finding(() =>
        check.pass(
          `${acts} acts of participants that took part, submissions by keys that were good and scoped${attested === 0 ? '' : `, ${attested} ends on the word of a person`}`,
        ),
      ),
  }
}

/** Signals are changed by submissions alone, ended by expiries, and erased by erasures. */
function checkChanges({ kind, index, fields, changes, expired, erased }: Entry, faults: Faults): void {
  const left = LEAVES.get(kind)
  if (left === undefined && (changes.length > 0 || fields.has('accepted')))
    faults.add(`${kind} changes signals, and is no submission`, index)
  for (const { signal, state } of changes)
    if (left !== undefined && state !== left) faults.add(`${kind} leaves the signal ${signal} ${state}`, index)
  if (expired.length > 0 && kind !== 'signal.expired') faults.add(`${kind} ends signals, and is no expiry`, index)
  if (erased.length > 0 && kind !== 'erasure') faults.add(`${kind} erases signals, and is no erasure`, index)
}

/** What is signed has a key besides; what is revealed may be by a person, who has no credential. */
function checkScoped(programme: Programme, acted: Acted & { scope: string }): void {
  const { kind, fields } = acted.entry
  if (kind === 'value.revealed' && fields.has('person')) {
    checkPerson(programme, { ...acted, roles: READERS })
    return
  }
  checkCredential(programme, acted)
  if (kind.startsWith('signal.')) checkKey(programme, acted)
}

interface Acted {
  entry: Entry
  actor: string
  faults: Faults
}

/** Whether it could not act at a time; what never was active has no grace. */
const isOver = ({ status, ceased = Number.NaN }: KnownActor, at: number): boolean =>
  status !== 'active' && !(at <= ceased + GRACE_MS)

/** What becomes of cases without their organisation, whether or not it takes part: nobody else is told of it. */
const isByItself = ({ kind, fields }: Entry): boolean =>
  kind === 'review.undone' ||
  (kind === 'review.moved' && BY_ITSELF.has(fields.get('reason'))) ||
  (kind === 'review.bulk' && fields.get('step') === 'refuse')

function checkParticipant({ participants }: Programme, { entry, actor, faults }: Acted): void {
  const known = participants.get(actor)
  // Reads are gathered: what counts is when the last of a batch was made.
  const at = entry.kind === 'read.batch' ? Date.parse(String(entry.fields.get('to'))) : entry.time
  if (known === undefined) faults.add(`${actor} was never admitted`, entry.index)
  else if (isOver(known, at) && !isByItself(entry)) faults.add(`${actor} acts, and is ${known.status}`, entry.index)
}

function checkCredential({ credentials }: Programme, { entry, actor, scope, faults }: Acted & { scope: string }): void {
  const { index, time, fields } = entry
  const id = String(fields.get('cred'))
  const known = credentials.get(id)
  if (known === undefined || known.participant !== actor) {
    faults.add(`the credential ${id} is none of ${actor}`, index)
    return
  }
  if (!known.scopes.includes(scope)) faults.add(`the credential ${id} is without the scope ${scope}`, index)
  if (isOver(known, time)) faults.add(`the credential ${id} is revoked`, index)
  if (time < known.from || time >= known.to + GRACE_MS) faults.add(`the credential ${id} is out of date`, index)
}

/** Nobody's key: a person of the organisation who may speak for it. */
function checkPerson(
  { roles, endedRoles, people }: Programme,
  { entry, actor, faults, roles: any }: Acted & { roles: readonly string[] },
): void {
  const { index, time, fields } = entry
  const person = String(fields.get('person'))
  for (const signed of ['cred', 'kid', 'od'])
    if (fields.has(signed)) faults.add(`it is said to be attested, and has ${signed}`, index)
  const held = (role: string): boolean =>
    roles.has(`${person} ${role}`) || time <= (endedRoles.get(`${person} ${role}`) ?? Number.NaN) + GRACE_MS
  if (people.get(person) !== actor || !any.some(held))
    faults.add(`the person ${person} does not speak for ${actor}`, index)
}

function checkKey({ keys }: Programme, { entry, actor, faults }: Acted): void {
  const { index, time, fields } = entry
  const kid = String(fields.get('kid'))
  const known = keys.get(`${actor} ${kid}`)
  if (known === undefined) {
    faults.add(`the signing key ${kid} is none of ${actor}`, index)
    return
  }
  if (isOver(known, time)) faults.add(`the signing key ${kid} is ${known.status}`, index)
  if (time < known.from || time >= known.to + GRACE_MS) faults.add(`the signing key ${kid} is out of date`, index)
}
