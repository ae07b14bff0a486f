import type { Tx } from '../db/as-participant.ts'
import { toBase64Url, utf8 } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import { parseStrict } from '../kernel/strict-json.ts'
import { REPORT_FORMATS } from '../reports/schema.ts'
import { type Act, type ActContext, log, participantOf } from './act.ts'
import type { PayloadOf } from './action.ts'
import type { OversightContext } from './oversight.ts'
import { policyFault } from './policy-form.ts'
import { type KeyHolder, type KeyShare, OPRF_SUITE, PROFILE_STATUS } from './schema.ts'
import * as store from './store.ts'

/** A policy is larger than what partners send. */
const POLICY_LIMITS = { depth: 8, members: 256, string: 4_096, array: 1_000 }

export interface PublicationContext extends ActContext {
  /** Makes the key of a hash profile unless it is there; of an OPRF key, what is published of it. */
  makeHashKey(kid: string, suite: string, holder?: KeyHolder): Promise<PublishedKey | undefined>
}

/** The public key of an OPRF epoch, and the parts that it is the sum of. */
export interface PublishedKey {
  public_key: Uint8Array
  shares: readonly KeyShare[]
}

/** A key epoch that identifiers are hashed under from now on. */
export async function publishHashProfile(
  context: PublicationContext,
  { tx, act }: { tx: Tx; act: Act },
  { kid, suite, not_before, not_after, holder }: PayloadOf<'hash-profile.publish'>,
): Promise<void> {
  const [from, to] = [new Date(not_before), new Date(not_after)]
  // A day that does not exist is an invalid date, which compares as false.
  if (!(from < to)) throw new Refusal('validation-failed', { detail: 'not_after follows not_before' })
  if ((await store.hashProfile(tx, kid)) !== undefined)
    throw new Refusal('state-conflict', { detail: 'there is a hash profile of this name' })
  if (holder !== undefined && suite !== OPRF_SUITE)
    throw new Refusal('validation-failed', { detail: 'only an OPRF key has a second holder' })
  const made = await context.makeHashKey(kid, suite, holder)
  const told = made === undefined ? {} : { public_key: toBase64Url(made.public_key), shares: made.shares }
  const event = await log(
    context,
    { tx, act },
    { kind: 'hash_profile.published', fields: { kid, suite, from: not_before, to: not_after, ...told } },
  )
  await store.insertHashProfile(tx, {
    ...{ kid, suite },
    status: PROFILE_STATUS.active,
    not_before: from,
    not_after: to,
    last_event: event,
    public_key: made === undefined ? null : Buffer.from(made.public_key),
    shares: made === undefined ? null : JSON.stringify(made.shares),
    published: event,
  })
}

/** How many elements a participant may have evaluated in a day, from now on. */
export async function changeQuota(
  context: ActContext,
  { tx, act }: { tx: Tx; act: Act },
  { participant, purpose, per_day }: PayloadOf<'quota.change'>,
): Promise<void> {
  const { participant_id } = await participantOf(tx, participant)
  const event = await log(
    context,
    { tx, act },
    { kind: 'quota.changed', fields: { whom: participant, what: purpose, amount: per_day } },
  )
  await store.setQuota(tx, { participant_id, purpose, per_day, last_event: event })
}

export async function retireHashProfile(
  context: ActContext,
  { tx, act }: { tx: Tx; act: Act },
  { kid }: PayloadOf<'hash-profile.retire'>,
): Promise<void> {
  const row = await store.hashProfile(tx, kid)
  if (row === undefined) throw new Refusal('not-found')
  if (row.status === PROFILE_STATUS.retired)
    throw new Refusal('state-conflict', { detail: 'the hash profile is retired' })
  const event = await log(context, { tx, act }, { kind: 'hash_profile.retired', fields: { kid, suite: row.suite } })
  await store.setHashProfile(tx, kid, { status: PROFILE_STATUS.retired, last_event: event })
}

/** The body's bytes are the policy: their digest is what the log names. Versions only go up. */
export async function publishPolicy(
  context: Pick<ActContext, 'recorder' | 'programme'>,
  { tx, act }: { tx: Tx; act: Act },
  { kind, version, body }: PayloadOf<'policy.publish'>,
): Promise<void> {
  const fault = policyFault(kind, parseStrict(body, POLICY_LIMITS), body)
  if (fault !== undefined) throw new Refusal('validation-failed', { detail: fault })
  const current = await store.policyVersion(tx, kind)
  if (version <= current)
    throw new Refusal('state-conflict', { detail: 'a later version is published', extra: { current } })
  const digest = sha256(utf8(body))
  const event = await log(
    context,
    { tx, act },
    { kind: 'policy.published', fields: { policy: kind, version, digest: toBase64Url(digest) } },
  )
  await store.insertPolicy(tx, { kind, version, digest, body, published_at: act.at, last_event: event })
}

/** What a transparency report says is fixed in the log: the report itself travels as a file, which its digest names. */
export async function publishReport(
  context: ActContext & OversightContext,
  { tx, act }: { tx: Tx; act: Act },
  { from, to, log_size, digest, format = REPORT_FORMATS[0] }: PayloadOf<'report.publish'>,
): Promise<void> {
  if (!(new Date(from) < new Date(to) && new Date(to) <= act.at))
    throw new Refusal('validation-failed', { detail: 'to follows from, and is over' })
  const fields = { digest, period: `${from}/${to}`, queries: format, log_size: String(log_size) }
  const event = await log(context, { tx, act }, { kind: 'report.published', fields })
  await context.oversight.reportPublished(tx, { digest, at: act.at, event })
}

/** Signals collected there, under that law and on that surface, are taken no more, or again. */
export async function holdCollection(
  context: ActContext,
  { tx, act }: { tx: Tx; act: Act },
  { held, effective_at: _, ...collection }: PayloadOf<'collection.hold'>,
): Promise<void> {
  if ((await store.isHeld(tx, collection)) === held)
    throw new Refusal('state-conflict', { detail: held ? 'it is held' : 'it is not held' })
  const kind = held ? 'collection.held' : 'collection.released'
  const event = await log(context, { tx, act }, { kind, fields: collection })
  await store.setHold(tx, { ...collection, held, last_event: event })
}
