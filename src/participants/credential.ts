import { Compile } from 'typebox/compile'
import type { Tx } from '../db/as-participant.ts'
import { toHex } from '../kernel/bytes.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, change, changeOnce, inRole, log, type Outcome, participantOf } from './act.ts'
import type { PayloadOf } from './action.ts'
import * as store from './credential-store.ts'
import { isNonce, makeNonce, NONCE_MS } from './nonce.ts'
import { askReview } from './request.ts'
import {
  CREDENTIAL_STATUS,
  KEY_STATUS,
  nameOf,
  PARTICIPANT_STATUS,
  SigningJwk,
  type SigningKeyNonce,
  type SigningKeyRegistration,
  type SigningKeyResult,
  signingKeyProof,
} from './schema.ts'
import { type PublicSigningKey, readSigningJwk, verifyProof } from './signing-key.ts'
import { type ParticipantRow, participantById } from './store.ts'

const DAY = 86_400_000
/** A pin raises the alarm in time; a signing key lives longer than what it signed is shared. */
export const PIN_MS = 90 * DAY
const SIGNING_KEY_MS = 400 * DAY
/** How long an old key stays beside its successor. */
export const OVERLAP_MS = 14 * DAY
/** Keys a participant may have waiting for confirmation. */
const PENDING_MAX = 3

const REASON = /^[a-z][a-z0-9_]{1,62}$/

export interface Credentials {
  /** Alone and at once; another person is asked to review it. */
  revokeCredential(by: Uuid, what: { credential: Uuid; reason: string }): Promise<void>
  /** Alone and at once: `retired` still verifies what came before, `compromised` says to look at it again. */
  endSigningKey(by: Uuid, what: { participant: string; kid: string; as: 'retired' | 'compromised' }): Promise<void>
  /** What a new signing key has to sign, within five minutes. */
  signingKeyNonce(participant: Uuid): Promise<SigningKeyNonce>
  /** Leaves the key pending until two administrators confirm it. The same key again answers its state. */
  registerSigningKey(participant: Uuid, registration: SigningKeyRegistration): Promise<SigningKeyResult>
}

export interface CredentialContext extends ActContext {
  /** 32 bytes that all processes of the node share. */
  nonceKey: Uint8Array
  randomBytes(n: number): Uint8Array
}

export function createCredentials(context: CredentialContext): Credentials {
  const { clock, nonceKey } = context
  return {
    revokeCredential: (by, { credential, reason }) =>
      change(context, async (tx, at) => {
        const person = await inRole(tx, by, ['node_admin'])
        if (!REASON.test(reason))
          throw new Refusal('validation-failed', { detail: 'a reason is a code such as key_theft' })
        const row = await store.credentialById(tx, credential)
        const owner = row && (await participantById(tx, row.participant_id))
        if (row === undefined || owner === undefined) throw new Refusal('not-found')
        if (row.status === CREDENTIAL_STATUS.revoked) throw new Refusal('state-conflict', { detail: 'it is revoked' })
        const within = { tx, act: { at, person: by } }
        const event = await revoke(context, within, { row, slug: owner.slug, reason })
        const about = { event, participant: owner.slug, credential, reason }
        await askReview(context, within, { act: 'credential.revoke', ...about, by: person })
      }),
    endSigningKey: (by, { participant, kid, as }) =>
      change(context, async (tx, at) => {
        await inRole(tx, by, ['node_admin'])
        const owner = await participantOf(tx, participant)
        const row = (await store.signingKeys(tx, owner.participant_id)).find((key) => key.kid === kid)
        if (row === undefined) throw new Refusal('not-found')
        if (row.status === KEY_STATUS.compromised || row.status === KEY_STATUS[as])
          throw new Refusal('state-conflict', { detail: `the key is ${nameOf(KEY_STATUS, row.status)}` })
        await endKey(context, { tx, act: { at, person: by } }, { row, slug: owner.slug, as })
      }),
    signingKeyNonce: async (participant) => {
      const now = clock()
      const nonce = makeNonce(nonceKey, { participant, now, random: context.randomBytes(16) })
      return { nonce, expires_at: new Date(now.getTime() + NONCE_MS).toISOString() }
    },
    registerSigningKey: async (participant, registration) => {
      const { nonce, proof, jwk } = registration
      const key = readSigningJwk(jwk)
      if (key === undefined || !isNonce(nonceKey, nonce, { participant, now: clock() })) throw unproven()
      if (!verifyProof(key, signingKeyProof(nonce, key.kid), proof)) throw unproven()
      return changeOnce(context, (tx, at) => register(context, { tx, act: { at } }, { participant, key, registration }))
    },
  }
}

async function register(
  context: ActContext,
  within: { tx: Tx; act: Act },
  given: { participant: Uuid; key: PublicSigningKey; registration: SigningKeyRegistration },
): Promise<Outcome<SigningKeyResult>> {
  const { participant, key, registration } = given
  const { tx, act } = within
  const owner = await participantById(tx, participant)
  if (owner?.status !== PARTICIPANT_STATUS.active) throw new Refusal('participant-suspended')
  const keys = await store.signingKeys(tx, participant)
  const same = keys.find(({ kid }) => kid === key.kid)
  if (same !== undefined) return { result: { kid: key.kid, status: nameOf(KEY_STATUS, same.status) }, changed: false }
  if (keys.filter(({ status }) => status === KEY_STATUS.pending).length >= PENDING_MAX)
    throw new Refusal('policy-refused', { detail: 'other keys wait for confirmation', extra: { limit: PENDING_MAX } })
  if (
    !continues(
      registration,
      key.kid,
      keys.filter((row) => isLive(row, act.at)),
    )
  )
    throw unproven()
  await putSigningKey(context, within, { owner, key, jwk: registration.jwk, status: 'pending' })
  return { result: { kid: key.kid, status: 'pending' }, changed: true }
}

/** A key that is active now vouches for the next one; only where there is none does nobody. */
function continues(
  { nonce, previous }: SigningKeyRegistration,
  kid: string,
  live: readonly store.SigningKeyRow[],
): boolean {
  if (live.length === 0) return previous === undefined
  const row = live.find((candidate) => candidate.kid === previous?.kid)
  const old = row && keyOf(row)
  return old !== undefined && previous !== undefined && verifyProof(old, signingKeyProof(nonce, kid), previous.proof)
}

/** Part of a larger change: a key that proved itself. */
export async function putSigningKey(
  context: Pick<ActContext, 'recorder' | 'programme'>,
  within: { tx: Tx; act: Act },
  given: { owner: ParticipantRow; key: PublicSigningKey; jwk: SigningJwk; status: 'pending' | 'active' },
): Promise<void> {
  const { owner, key, jwk, status } = given
  const { at } = within.act
  const to = new Date(at.getTime() + SIGNING_KEY_MS)
  const jwkText = canonicalJson({ ...jwk })
  const event = await log(context, within, {
    kind: 'credential.enrolled',
    actor: owner.slug,
    subject: owner.slug,
    fields: { credential: key.kid, use: `sign:${status}`, key: jwkText, from: at.toISOString(), to: to.toISOString() },
  })
  await store.insertSigningKey(within.tx, {
    participant_id: owner.participant_id,
    kid: key.kid,
    jwk: jwkText,
    alg: key.alg,
    status: KEY_STATUS[status],
    not_before: at,
    not_after: to,
    last_event: event,
  })
}

/** Two administrators' word: the key is active from now on, its predecessors for 14 days more. */
export async function confirmSigningKey(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { participant, kid }: PayloadOf<'signing-key.confirm'>,
): Promise<void> {
  const { tx, act } = within
  const owner = await participantOf(tx, participant)
  const keys = await store.signingKeys(tx, owner.participant_id)
  const next = keys.find((row) => row.kid === kid)
  if (next?.status !== KEY_STATUS.pending)
    throw new Refusal('state-conflict', { detail: 'no such key waits for confirmation' })
  const to = new Date(act.at.getTime() + SIGNING_KEY_MS)
  const end = new Date(act.at.getTime() + OVERLAP_MS)
  const replaced = keys.filter((row) => isLive(row, act.at) && row.not_after > end)
  const fields = {
    credential: kid,
    use: 'sign:active',
    key: next.jwk,
    from: act.at.toISOString(),
    to: to.toISOString(),
    replaces: replacing(
      replaced.map((row) => row.kid),
      end,
    ),
  }
  const event = await log(context, within, { kind: 'credential.enrolled', subject: owner.slug, fields })
  const of = (row: store.SigningKeyRow) => ({ participant_id: owner.participant_id, kid: row.kid })
  await store.updateSigningKey(tx, of(next), {
    status: KEY_STATUS.active,
    not_before: act.at,
    not_after: to,
    last_event: event,
  })
  for (const row of replaced) await store.updateSigningKey(tx, of(row), { not_after: end, last_event: event })
}

/** What the log says of predecessors that end earlier now; nothing where there are none. */
export const replacing = (keys: readonly string[], to: Date): { keys: readonly string[]; to: string } | undefined =>
  keys.length === 0 ? undefined : { keys, to: to.toISOString() }

export async function revokeAll(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { participant_id, slug, reason }: { participant_id: Uuid; slug: string; reason: string },
): Promise<void> {
  for (const row of await store.liveCredentials(within.tx, participant_id, within.act.at))
    await revoke(context, within, { row, slug, reason })
}

export async function endSigningKeys(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { participant_id, slug }: { participant_id: Uuid; slug: string },
): Promise<void> {
  for (const row of await store.signingKeys(within.tx, participant_id)) {
    const ended = row.status === KEY_STATUS.retired || row.status === KEY_STATUS.compromised
    if (!ended) await endKey(context, within, { row, slug, as: 'retired' })
  }
}

async function endKey(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { row, slug, as }: { row: store.SigningKeyRow; slug: string; as: 'retired' | 'compromised' },
): Promise<void> {
  const event = await log(context, within, {
    kind: 'credential.revoked',
    subject: slug,
    fields: { credential: row.kid, use: 'sign', key: row.jwk, reason: as },
  })
  await store.updateSigningKey(within.tx, row, { status: KEY_STATUS[as], last_event: event })
}

async function revoke(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { row, slug, reason }: { row: store.CredentialRow; slug: string; reason: string },
): Promise<Uuid> {
  const event = await log(context, within, {
    kind: 'credential.revoked',
    subject: slug,
    fields: { credential: row.credential_id, use: 'tls', spki: toHex(row.spki), reason },
  })
  await store.updateCredential(within.tx, row.credential_id, { status: CREDENTIAL_STATUS.revoked, last_event: event })
  return event
}

const JWK = Compile(SigningJwk)

/** The key of a stored row. */
function keyOf(row: { jwk: string }): PublicSigningKey | undefined {
  const jwk: unknown = JSON.parse(row.jwk)
  return JWK.Check(jwk) ? readSigningJwk(jwk) : undefined
}

const isLive = ({ status, not_before, not_after }: store.SigningKeyRow, now: Date): boolean =>
  status === KEY_STATUS.active && not_before <= now && now < not_after

const unproven = (): Refusal =>
  new Refusal('signature-invalid', { detail: 'prove the key, and its predecessor, over a fresh nonce' })
