import { atControl, type Tx } from '../db/as-participant.ts'
import { toHex } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, change, log, participantOf } from './act.ts'
import type { PayloadOf } from './action.ts'
import { pinOfRequest } from './certificate-request.ts'
import * as store from './credential-store.ts'
import { codeDigest, enrolmentCode, isForNode } from './enrolment-code.ts'
import { type Enrolled, enrolSigningKey, putPin } from './pin.ts'
import { scopesWithin } from './policy.ts'
import { present } from './read-back.ts'
import {
  CREDENTIAL_STATUS,
  type Enrolment,
  type EnrolmentResult,
  enrolmentProof,
  type NodeKeys,
  nameOf,
  PARTICIPANT_KIND,
  PARTICIPANT_STATUS,
  participantUri,
  type RenewalResult,
} from './schema.ts'
import { type PublicSigningKey, readSigningJwk, verifyProof } from './signing-key.ts'
import { participantById } from './store.ts'

const CODE_MS = 30 * 60_000
const TRIES_MAX = 5

export interface IssuedLeaf {
  /** PEM: leaf first, then the issuer. */
  chain: string
  /** SHA-256 of the leaf's SubjectPublicKeyInfo, hex. */
  spki: string
  notAfter: Date
}

export interface EnrolmentContext extends ActContext {
  /** The programme's CA: it checks the request for itself and takes nothing but the key from it. */
  issue(request: { csrPem: string; uri: string }): Promise<IssuedLeaf>
  /** SHA-256 of the node's own TLS key, hex. */
  nodeSpki(): string
  /** PEM. */
  rootCertificate(): string
  nodeKeys(): NodeKeys
  randomBytes(n: number): Uint8Array
}

/** A connection's key, as far as renewal asks. */
export interface RenewingPeer {
  participant: Uuid
  credential: Uuid
}

export interface Enrolments {
  /**
   * Exchanges a one-time code for a certificate. Pin, signing key and log entries are one transaction. `enrolment-refused`
   * for a code that is not, or no longer, good; each faulty request under a good code costs one of its five tries.
   */
  enrol(request: Enrolment): Promise<EnrolmentResult>
  /** A new leaf for the key that asks; the pin's date does not move. */
  renew(peer: RenewingPeer, csr_pem: string): Promise<RenewalResult>
}

interface Verified {
  pin: Buffer
  key: PublicSigningKey
}

export function createEnrolments(context: EnrolmentContext): Enrolments {
  const { admin, clock, issue, programme } = context

  async function enrol(request: Enrolment): Promise<EnrolmentResult> {
    if (!isForNode(request.code, context.nodeSpki())) throw refused()
    const open = await store.enrolmentByCode(admin, codeDigest(request.code))
    if (open === undefined || !isOpen(open, clock())) throw refused()
    const verified = await verify(request).catch(async (fault: unknown) => {
      await countTry(context, open.enrolment_id)
      throw fault
    })
    const owner = await participantById(admin, open.participant_id)
    if (owner?.status !== PARTICIPANT_STATUS.active) throw refused()
    const uri = participantUri(programme.trust_domain, owner.slug)
    // Before the transaction, which no other program may hold up. A leaf whose key is not pinned opens nothing.
    const leaf = await issue({ csrPem: request.csr_pem, uri })
    if (leaf.spki !== toHex(verified.pin)) throw new Error('the CA certified another key')
    const credential = await change(context, (tx, at) =>
      complete(context, { tx, act: { at } }, { request, verified, enrolment_id: open.enrolment_id }),
    )
    return {
      participant: owner.slug,
      uri,
      credential: credential.credential_id,
      scopes: scopesWithin(nameOf(PARTICIPANT_KIND, owner.kind), credential.scopes),
      certificate: leaf.chain,
      ca: context.rootCertificate(),
      not_after: leaf.notAfter.toISOString(),
      pin_not_after: credential.not_after.toISOString(),
      kid: verified.key.kid,
      programme: { slug: programme.slug, trust_domain: programme.trust_domain, node_origin: programme.node_origin },
      node: context.nodeKeys(),
      ...(credential.awaits_read_back === true && { awaits_read_back: true }),
    }
  }

  return {
    enrol,
    async renew(peer, csr_pem) {
      const pin = await pinOfRequest(csr_pem)
      const row = await store.credentialBySpki(admin, pin)
      if (row?.credential_id !== peer.credential || row.participant_id !== peer.participant)
        throw new Refusal('certificate-request-refused', { detail: 'renew with the key of this connection' })
      const now = clock()
      if (row.status !== CREDENTIAL_STATUS.active || row.not_after <= now) throw new Refusal('credential-not-enrolled')
      const owner = await participantById(admin, row.participant_id)
      if (owner?.status !== PARTICIPANT_STATUS.active) throw new Refusal('participant-suspended')
      const leaf = await issue({ csrPem: csr_pem, uri: participantUri(programme.trust_domain, owner.slug) })
      return { certificate: leaf.chain, not_after: leaf.notAfter.toISOString() }
    },
  }
}

/** Two administrators' word: a code that is told once and kept as a digest. */
export async function openEnrolment(
  context: EnrolmentContext,
  within: { tx: Tx; act: Act },
  { participant, label, scopes, read_back }: PayloadOf<'credential.enrol'>,
): Promise<{ code: string; expires_at: string }> {
  const { tx, act } = within
  const owner = await participantOf(tx, participant)
  if (owner.status !== PARTICIPANT_STATUS.active)
    throw new Refusal('state-conflict', { detail: 'the participant is not active' })
  const allowed = scopesWithin(nameOf(PARTICIPANT_KIND, owner.kind), scopes)
  if (allowed.length < scopes.length)
    throw new Refusal('policy-refused', { detail: 'a participant of this kind cannot have all of these scopes' })
  const code = enrolmentCode(context.nodeSpki(), context.randomBytes(20))
  const expires = new Date(act.at.getTime() + CODE_MS)
  const enrolment_id = newId(act.at)
  const fields = { credential: enrolment_id, use: 'code', scopes: allowed, to: expires.toISOString() }
  const event = await log(context, within, { kind: 'credential.enrolled', subject: owner.slug, fields })
  await store.insertEnrolment(tx, {
    ...{ enrolment_id, participant_id: owner.participant_id, label },
    scopes: allowed,
    code: codeDigest(code),
    expires_at: expires,
    ...{
      tries: 0,
      used_at: null,
      read_back: read_back === true,
      credential_id: null,
      spki: null,
      signing_jwk: null,
      last_event: event,
    },
  })
  return { code, expires_at: expires.toISOString() }
}

async function verify({ code, csr_pem, signing_jwk, proof }: Enrolment): Promise<Verified> {
  const pin = await pinOfRequest(csr_pem)
  const key = readSigningJwk(signing_jwk)
  if (key === undefined || !verifyProof(key, enrolmentProof(code, toHex(pin)), proof))
    throw new Refusal('signature-invalid', { detail: 'sign the code and the TLS key with the signing key' })
  return { pin, key }
}

/** Committed by itself: what follows is a refusal, which would take the count back. */
async function countTry(context: EnrolmentContext, enrolment_id: Uuid): Promise<void> {
  await atControl(context.admin, async (tx) => {
    const at = context.clock()
    const row = await store.enrolmentForUpdate(tx, enrolment_id)
    if (row === undefined || !isOpen(row, at)) throw refused()
    const owner = await participantById(tx, row.participant_id)
    const event = await log(
      context,
      { tx, act: { at } },
      {
        kind: 'anomaly.acted',
        fields: { whom: owner?.slug, what: 'enrolment.try', amount: row.tries + 1, code: enrolment_id },
      },
    )
    await store.updateEnrolment(tx, enrolment_id, { tries: row.tries + 1, last_event: event })
  })
}

async function complete(
  context: EnrolmentContext,
  within: { tx: Tx; act: Act },
  given: { request: Enrolment; verified: Verified; enrolment_id: Uuid },
): Promise<Enrolled> {
  const { tx, act } = within
  const { key, pin } = given.verified
  const open = await store.enrolmentForUpdate(tx, given.enrolment_id)
  if (open === undefined || !isOpen(open, act.at)) throw refused()
  const owner = await participantById(tx, open.participant_id)
  if (owner?.status !== PARTICIPANT_STATUS.active) throw refused()
  if ((await store.credentialBySpki(tx, pin)) !== undefined)
    throw new Refusal('certificate-request-refused', { detail: 'this key was enrolled before; make a new one' })
  if (open.read_back) return present(context, within, { owner, pin, open, jwk: given.request.signing_jwk })
  const { enrolment_id: code, label, scopes } = open
  const credential = await putPin(context, within, { owner, pin, label, scopes, code })
  await store.updateEnrolment(tx, open.enrolment_id, { used_at: act.at, last_event: credential.last_event })
  await enrolSigningKey(context, within, { owner, key, jwk: given.request.signing_jwk })
  return credential
}

const isOpen = ({ used_at, expires_at, tries }: store.EnrolmentRow, now: Date): boolean =>
  used_at === null && now < expires_at && tries < TRIES_MAX

const refused = (): Refusal => new Refusal('enrolment-refused', { detail: 'ask two administrators for a new code' })
