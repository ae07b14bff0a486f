import { createAlike } from './alike.ts'
import { audienceFault } from './audiences.ts'
import { createEnrolments } from './enrolments.ts'
import type { Entry } from './entry.ts'
import { type EntryCheck, type Faults, gatherFaults } from './faults.ts'
import { numbered } from './finding.ts'
import { GRACE_MS, type Programme } from './programme.ts'
import { replacesFault } from './replaces.ts'
import { createRoles } from './roles.ts'
import { voterFault } from './voters.ts'

/** What became of a request so far. */
export interface Asked {
  action: string
  digest: string
  by: string
  approvers: Set<string>
  refused: boolean
  /** When, milliseconds. */
  executed?: number
}

/** Acts that take two persons, by the action that they carry out; others of a kind may be done alone. */
const ACTION_OF: ReadonlyMap<string, (entry: Entry) => string | undefined> = new Map(
  Object.entries<(entry: Entry) => string | undefined>({
    // Recipients hold a signal without a request.
    'signal.held': ({ fields }) => (fields.has('req') ? 'source.hold' : undefined),
    'participant.admitted': () => 'participant.admit',
    'participant.confirmed': () => 'participant.confirm',
    'participant.resumed': () => 'participant.resume',
    'participant.left': () => 'participant.offboard',
    // A group is made, or changed: both take the same two.
    'group.changed': ({ fields }) => (fields.get('mode') === undefined ? 'group.change' : 'group.create'),
    'group.ended': () => 'group.end',
    'hash_profile.published': () => 'hash-profile.publish',
    'hash_profile.retired': () => 'hash-profile.retire',
    'quota.changed': () => 'quota.change',
    'policy.published': () => 'policy.publish',
    'report.published': () => 'report.publish',
    'collection.held': () => 'collection.hold',
    'collection.released': () => 'collection.hold',
    'feed.paused': () => 'feed.pause',
    'feed.resumed': () => 'feed.resume',
    'role.changed': ({ fields }) =>
      fields.get('what') === 'granted' && SHARED_ROLES.has(String(fields.get('role'))) ? 'role.grant' : undefined,
    'credential.enrolled': enrolment,
    'hold.placed': () => 'hold.place',
    'hold.lifted': () => 'hold.lift',
    'government_request.closed': () => 'government.close',
    'anomaly.acted': ({ fields }) =>
      fields.get('code') === 'source' ? (fields.get('what') === 'held' ? 'source.hold' : 'source.release') : undefined,
  }),
)

/** What may be asked for in the place of another: that many signals are let go at once. */
const MANY_OF: ReadonlyMap<string, string> = new Map([['signal.release', 'source.release']])

/** Acts that one entry for each signal tells of. Its time is after what became of the signal before, whatever clock that had. */
const BY_SIGNAL: ReadonlySet<string> = new Set(['signal.held', 'signal.released'])
const MANY: ReadonlySet<string> = new Set(['source.hold', 'source.release'])

/** Roles that no single administrator gives. */
const SHARED_ROLES: ReadonlySet<string> = new Set(['node_admin', 'governance', 'observer'])

/** A code, and a key that another act than the enrolment makes active; what an enrolment makes rests on its code. */
function enrolment({ fields }: Entry): string | undefined {
  const use = fields.get('use')
  if (use === 'code') return 'credential.enrol'
  return use === 'sign:active' && fields.get('actor') === 'node' ? 'signing-key.confirm' : undefined
}

/** What `aldis init` writes at once, before there is anybody to ask; it gives three roles at most, and first policies. */
const FOUNDING: ReadonlySet<string> = new Set(['person.added', 'role.changed', 'audience.changed', 'policy.published'])
const FIRST_ROLES = 3

/** Whether a release takes two persons: its source may let go what recipients held, and nothing that two persons hold. */
function createReleases(): (entry: Entry) => string | undefined {
  const byTwo = new Set<string>()
  return ({ kind, fields }) => {
    const signal = `${fields.get('subject')} ${fields.get('signal')}`
    if (kind === 'signal.held' && fields.has('req')) byTwo.add(signal)
    if (kind !== 'signal.released') return undefined
    const own = fields.get('actor') === fields.get('subject')
    return byTwo.delete(signal) || !own ? 'signal.release' : undefined
  }
}

/** Whether an entry is still of the founding: of the first log from its first entry on, and nobody's act. */
function createFounding(): (entry: Entry) => boolean {
  let founding = true
  let roles = 0
  return ({ kind, fields }) => {
    founding &&= FOUNDING.has(kind) && fields.get('person') === undefined
    if (founding && kind === 'role.changed') roles += 1
    if (founding && kind === 'policy.published') founding = fields.get('version') === 1
    founding &&= roles <= FIRST_ROLES
    return founding
  }
}

/**
 * Check 12: what takes two persons was asked for by one and approved by another, each in a role that may, over the same digest,
 * before it was done, and was done once; keys rest on codes that two gave out so.
 */
export function checkApprovals(programme: Programme): EntryCheck {
  const check = numbered(12, 'four eyes')
  const faults = gatherFaults(check)
  const requests = new Map<string, Asked>()
  const done = new Set<string>()
  const alike = createAlike(faults)
  const enrolments = createEnrolments(faults)
  const roles = createRoles(programme, faults)
  const isFounding = createFounding()
  const releaseOf = createReleases()
  let acts = 0
  const voted = (entry: Entry): void => {
    const why = voterFault(programme, entry, requests.get(String(entry.fields.get('request'))))
    if (why !== undefined) faults.add(why, entry.index)
    vote(requests, entry, faults)
  }
  const act = ({ kind, fields, index, time }: Entry, action: string): void => {
    acts += 1
    const req = String(fields.get('req'))
    const asked = requests.get(req)
    const bySignal = BY_SIGNAL.has(kind)
    // Of an act on many signals each has an entry, besides the one that tells of all; every other act makes one of one kind.
    const oneOfMany = bySignal && asked !== undefined && MANY.has(asked.action)
    const once = `${req} ${action}`
    if (asked === undefined) faults.add(`${kind} takes two persons, and names no request`, index)
    else if (asked.action !== action && asked.action !== MANY_OF.get(action))
      faults.add(`${kind} was not what was asked for: ${asked.action}`, index)
    else if (!oneOfMany && done.has(once)) faults.add(`${kind} was asked for once, and done before`, index)
    else expectApproved(asked, { index, faults, ...(bySignal && { time }) })
    if (!oneOfMany) done.add(once)
  }
  return {
    entry(entry) {
      const founding = isFounding(entry)
      if (entry.kind.startsWith('approval.')) voted(entry)
      const why = audienceFault(programme, entry, founding) ?? replacesFault(programme, entry)
      if (why !== undefined) faults.add(why, entry.index)
      alike.entry(entry)
      enrolments.entry(entry)
      roles.entry(entry)
      const action = releaseOf(entry) ?? ACTION_OF.get(entry.kind)?.(entry)
      if (action !== undefined && !founding) act(entry, action)
    },
    cut: faults.cut,
    end() {
      enrolments.end()
      roles.end()
      return faults.finding(() => check.pass(`${acts} acts that take two persons had two`))
    },
  }
}

/** `time`: of an act whose entry may follow the one that says that the request was executed, by a little. */
export function expectApproved(
  asked: Asked,
  { index, faults, time = Number.POSITIVE_INFINITY }: { index: bigint; faults: Faults; time?: number },
): void {
  if (asked.executed !== undefined && !(time <= asked.executed + GRACE_MS))
    faults.add('the request was executed before', index)
  if (asked.refused) faults.add('the request was refused', index)
  if (asked.approvers.size === 0) faults.add(`nobody but ${asked.by}, who asked for it, has approved`, index)
}

/** Takes note of what an entry says of a request. */
export function vote(requests: Map<string, Asked>, entry: Entry, faults: Faults): void {
  const { kind, fields, index } = entry
  const text = (name: string): string => String(fields.get(name))
  const id = text('request')
  const asked = requests.get(id)
  if (kind === 'approval.requested') {
    if (asked !== undefined) faults.add(`the request ${id} is there twice`, index)
    const of = { action: text('action'), digest: text('digest'), by: text('person') }
    requests.set(id, { ...of, approvers: new Set(), refused: false })
  } else if (asked === undefined) faults.add(`nobody asked for the request ${id}`, index)
  else if (asked.digest !== text('digest')) faults.add(`the request ${id} was of another payload`, index)
  else answer(asked, { entry, by: text('person'), faults })
}

function answer(asked: Asked, { entry, by, faults }: { entry: Entry; by: string; faults: Faults }): void {
  const { kind, index, time } = entry
  if (kind === 'approval.refused' || kind === 'approval.cancelled') asked.refused = true
  else if (kind === 'approval.executed') {
    expectApproved(asked, { index, faults })
    asked.executed = time
  } else if (by === asked.by) faults.add(`${by} approved what it asked for itself`, index)
  else asked.approvers.add(by)
}
