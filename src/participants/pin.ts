import type { Tx } from '../db/as-participant.ts'
import { toHex } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, log } from './act.ts'
import { OVERLAP_MS, PIN_MS, putSigningKey, replacing } from './credential.ts'
import * as store from './credential-store.ts'
import { CREDENTIAL_STATUS, KEY_STATUS, type SigningJwk } from './schema.ts'
import type { PublicSigningKey } from './signing-key.ts'
import type { ParticipantRow } from './store.ts'

/** An old pin and its successor. */
const PINS_MAX = 2

type Recording = Pick<ActContext, 'recorder' | 'programme'>

/** What an enrolment answers of the key. */
export interface Enrolled extends Pick<store.CredentialRow, 'credential_id' | 'scopes' | 'not_after'> {
  awaits_read_back?: true
}

interface NewPin {
  owner: ParticipantRow
  pin: Buffer
  label: string
  scopes: string[]
  /** The code that was redeemed with it. */
  code?: Uuid
  /** Where it was given out before. */
  credential_id?: Uuid
}

/** The pin, and the end of the one it replaces: two of one label at most, together for 14 days. */
export async function putPin(
  context: Recording,
  within: { tx: Tx; act: Act },
  { owner, pin, label, scopes, code, ...given }: NewPin,
): Promise<store.CredentialRow> {
  const { tx, act } = within
  const { participant_id } = owner
  const live = (await store.liveCredentials(tx, participant_id, act.at)).filter((row) => row.label === label)
  if (live.length >= PINS_MAX)
    throw new Refusal('policy-refused', {
      detail: 'two keys of this label are live; revoke one',
      extra: { limit: PINS_MAX },
    })
  const credential_id = given.credential_id ?? newId(act.at)
  const not_after = new Date(act.at.getTime() + PIN_MS)
  const end = new Date(act.at.getTime() + OVERLAP_MS)
  const replaced = live.filter((old) => old.not_after > end)
  const event = await log(context, within, {
    kind: 'credential.enrolled',
    actor: owner.slug,
    subject: owner.slug,
    fields: {
      ...{ credential: credential_id, use: 'tls', spki: toHex(pin), scopes },
      ...{ from: act.at.toISOString(), to: not_after.toISOString(), code },
      replaces: replacing(
        replaced.map((old) => old.credential_id),
        end,
      ),
    },
  })
  const row = {
    ...{ credential_id, participant_id, label, scopes, not_after },
    spki: pin,
    status: CREDENTIAL_STATUS.active,
    not_before: act.at,
    last_event: event,
  }
  await store.insertCredential(tx, row)
  for (const old of replaced) await store.updateCredential(tx, old.credential_id, { not_after: end, last_event: event })
  return row
}

/** Two administrators opened the code, so the first key is active at once; a further one waits for its own word. */
export async function enrolSigningKey(
  context: Recording,
  within: { tx: Tx; act: Act },
  { owner, key, jwk }: { owner: ParticipantRow; key: PublicSigningKey; jwk: SigningJwk },
): Promise<void> {
  const known = await store.signingKeys(within.tx, owner.participant_id)
  const same = known.find(({ kid }) => kid === key.kid)
  if (same !== undefined && same.status !== KEY_STATUS.active && same.status !== KEY_STATUS.pending)
    throw new Refusal('policy-refused', { detail: 'this signing key has ended; make a new one' })
  if (same !== undefined) return
  const status = known.length === 0 ? 'active' : 'pending'
  await putSigningKey(context, within, { owner, key, jwk, status })
}
