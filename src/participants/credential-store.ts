import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { CREDENTIAL_STATUS } from './schema.ts'

// ---- TLS keys

export interface CredentialRow {
  credential_id: Uuid
  participant_id: Uuid
  label: string
  spki: Buffer
  scopes: string[]
  status: number
  not_before: Date
  not_after: Date
  last_event: Uuid
}

export async function insertCredential(tx: Tx, row: CredentialRow): Promise<void> {
  await tx.insertInto('credential').values(row).execute()
}

export const credentialById = (tx: Tx, credential_id: Uuid): Promise<CredentialRow | undefined> =>
  tx.selectFrom('credential').selectAll().where('credential_id', '=', credential_id).executeTakeFirst()

export const credentialBySpki = (db: Db | Tx, spki: Buffer): Promise<CredentialRow | undefined> =>
  db.selectFrom('credential').selectAll().where('spki', '=', spki).executeTakeFirst()

/** Those that are active and not past their date, the oldest first. */
export const liveCredentials = (tx: Tx, participant_id: Uuid, now: Date): Promise<CredentialRow[]> =>
  tx
    .selectFrom('credential')
    .selectAll()
    .where('participant_id', '=', participant_id)
    .where('status', '=', CREDENTIAL_STATUS.active)
    .where('not_after', '>', now)
    .orderBy('not_before')
    .execute()

export async function updateCredential(
  tx: Tx,
  credential_id: Uuid,
  change: { status?: number; not_after?: Date; last_event: Uuid },
): Promise<void> {
  await tx.updateTable('credential').set(change).where('credential_id', '=', credential_id).execute()
}

// ---- signing keys

export interface SigningKeyRow {
  participant_id: Uuid
  kid: string
  jwk: string
  alg: string
  status: number
  not_before: Date
  not_after: Date
  last_event: Uuid
}

export const signingKeys = (db: Db | Tx, participant_id: Uuid): Promise<SigningKeyRow[]> =>
  db.selectFrom('signing_key').selectAll().where('participant_id', '=', participant_id).orderBy('not_before').execute()

export async function insertSigningKey(tx: Tx, row: SigningKeyRow): Promise<void> {
  await tx.insertInto('signing_key').values(row).execute()
}

export async function updateSigningKey(
  tx: Tx,
  of: { participant_id: Uuid; kid: string },
  change: { status?: number; not_before?: Date; not_after?: Date; last_event: Uuid },
): Promise<void> {
  await tx
    .updateTable('signing_key')
    .set(change)
    .where('participant_id', '=', of.participant_id)
    .where('kid', '=', of.kid)
    .execute()
}

// ---- enrolments

export interface EnrolmentRow {
  enrolment_id: Uuid
  participant_id: Uuid
  label: string
  scopes: string[]
  code: Buffer
  expires_at: Date
  tries: number
  used_at: Date | null
  read_back: boolean
  credential_id: Uuid | null
  spki: Buffer | null
  signing_jwk: string | null
  last_event: Uuid
}

export async function insertEnrolment(tx: Tx, row: EnrolmentRow): Promise<void> {
  await tx.insertInto('enrolment').values(row).execute()
}

export const enrolmentByCode = (db: Db | Tx, code: Buffer): Promise<EnrolmentRow | undefined> =>
  db.selectFrom('enrolment').selectAll().where('code', '=', code).executeTakeFirst()

/** Locked, so that of two who present one code at once the second sees it used. */
export const enrolmentForUpdate = (tx: Tx, enrolment_id: Uuid): Promise<EnrolmentRow | undefined> =>
  tx.selectFrom('enrolment').selectAll().where('enrolment_id', '=', enrolment_id).forUpdate().executeTakeFirst()

export async function updateEnrolment(
  tx: Tx,
  enrolment_id: Uuid,
  change: Partial<Pick<EnrolmentRow, 'tries' | 'used_at' | 'credential_id' | 'spki' | 'signing_jwk'>> & {
    last_event: Uuid
  },
): Promise<void> {
  await tx.updateTable('enrolment').set(change).where('enrolment_id', '=', enrolment_id).execute()
}

/** Keys that were presented since and that no credential has yet. */
export const presentedSince = (db: Db | Tx, since: Date): Promise<EnrolmentRow[]> =>
  db
    .selectFrom('enrolment as e')
    .selectAll('e')
    .where('e.read_back', '=', true)
    .where('e.used_at', '>', since)
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('credential as c').select('c.credential_id').whereRef('c.spki', '=', 'e.spki'))),
    )
    .orderBy('e.used_at')
    .execute()

/** Locked, so that two who read one key back make one credential. */
export const presentedForUpdate = (tx: Tx, credential_id: Uuid): Promise<EnrolmentRow | undefined> =>
  tx.selectFrom('enrolment').selectAll().where('credential_id', '=', credential_id).forUpdate().executeTakeFirst()
