import type { Tx } from '../db/as-participant.ts'
import { equal, fromHex, toHex } from '../kernel/bytes.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, change, inRole, log } from './act.ts'
import { PIN_MS } from './credential.ts'
import * as store from './credential-store.ts'
import { type Enrolled, enrolSigningKey, putPin } from './pin.ts'
import { PARTICIPANT_STATUS, type SigningJwk } from './schema.ts'
import { readSigningJwk } from './signing-key.ts'
import { type ParticipantRow, participantById } from './store.ts'

/** A key that nobody reads back within a day is presented anew, under another code. */
const READ_BACK_MS = 86_400_000

/** A key that works once its fingerprint was read back; not the fingerprint, which is told by another way. */
export interface Presented {
  credential: Uuid
  participant: Uuid
  label: string
  presented_at: Date
  expires_at: Date
}

export interface ReadBacks {
  /** Keys that wait for their fingerprints. */
  presented(): Promise<Presented[]>
  /**
   * Makes a presented key work. `fingerprint` is what the organisation told by another way than the enrolment: SHA-256 of
   * the TLS key in hex, with colons or spaces or without. `fingerprint-mismatch` changes nothing.
   */
  readBack(by: Uuid, what: { credential: Uuid; fingerprint: string }): Promise<void>
}

export const createReadBacks = (context: ActContext): ReadBacks => ({
  presented: async () => {
    const since = new Date(context.clock().getTime() - READ_BACK_MS)
    const waiting: Presented[] = []
    for (const { credential_id, participant_id, label, used_at } of await store.presentedSince(context.admin, since)) {
      if (credential_id === null || used_at === null) continue
      waiting.push({
        ...{ credential: credential_id, participant: participant_id, label, presented_at: used_at },
        expires_at: new Date(used_at.getTime() + READ_BACK_MS),
      })
    }
    return waiting
  },
  readBack: (by, { credential, fingerprint }) =>
    change(context, async (tx, at) => {
      await inRole(tx, by, ['node_admin'])
      const row = await store.presentedForUpdate(tx, credential)
      const told = fromHex(fingerprint.replaceAll(/[\s:]/g, '').toLowerCase())
      if (row?.spki == null || row.used_at === null || row.signing_jwk === null) throw new Refusal('not-found')
      if (
        at.getTime() >= row.used_at.getTime() + READ_BACK_MS ||
        (await store.credentialBySpki(tx, row.spki)) !== undefined
      )
        throw new Refusal('state-conflict', { detail: 'the key was read back before, or presented too long ago' })
      if (told === undefined || !equal(told, row.spki)) throw new Refusal('fingerprint-mismatch')
      await admitKey(context, { tx, act: { at, person: by } }, { row, credential, pin: row.spki, jwk: row.signing_jwk })
    }),
})

async function admitKey(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { row, credential, pin, jwk }: { row: store.EnrolmentRow; credential: Uuid; pin: Buffer; jwk: string },
): Promise<void> {
  const owner = await participantById(within.tx, row.participant_id)
  if (owner?.status !== PARTICIPANT_STATUS.active) throw new Refusal('participant-suspended')
  const { label, scopes } = row
  await putPin(context, within, { owner, pin, label, scopes, credential_id: credential })
  // Only what `readSigningJwk` admitted was ever stored.
  const signing = JSON.parse(jwk) as SigningJwk
  const key = readSigningJwk(signing)
  if (key === undefined) throw new Error('a stored signing key is none')
  await enrolSigningKey(context, within, { owner, key, jwk: signing })
}

/** Part of an enrolment: the code is used, and the key does nothing yet. */
export async function present(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { owner, pin, open, jwk }: { owner: ParticipantRow; pin: Buffer; open: store.EnrolmentRow; jwk: SigningJwk },
): Promise<Enrolled> {
  const { tx, act } = within
  const credential_id = newId(act.at)
  const event = await log(context, within, {
    kind: 'credential.enrolled',
    actor: owner.slug,
    subject: owner.slug,
    fields: { credential: credential_id, use: 'presented', spki: toHex(pin), code: open.enrolment_id },
  })
  await store.updateEnrolment(tx, open.enrolment_id, {
    ...{ used_at: act.at, credential_id, spki: pin, signing_jwk: canonicalJson({ ...jwk }), last_event: event },
  })
  const not_after = new Date(act.at.getTime() + PIN_MS)
  return { credential_id, scopes: open.scopes, not_after, awaits_read_back: true }
}
