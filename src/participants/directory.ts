import { atControl } from '../db/as-participant.ts'
import { toHex } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ActContext } from './act.ts'
import * as store from './directory-store.ts'
import { type ExpiryBand, expiryBand, isLive } from './expiry-band.ts'
import {
  CREDENTIAL_STATUS,
  type CredentialStatus,
  KEY_STATUS,
  type KeyStatus,
  nameOf,
  PARTICIPANT_KIND,
  PARTICIPANT_STATUS,
  type ParticipantKind,
  type ParticipantStatus,
} from './schema.ts'

export interface ListedCredential {
  credential: Uuid
  label: string
  /** SHA-256 of the TLS key, hex. */
  spki: string
  scopes: readonly string[]
  status: CredentialStatus
  not_before: Date
  not_after: Date
  ends: ExpiryBand
}

export interface ListedKey {
  kid: string
  alg: string
  status: KeyStatus
  not_before: Date
  not_after: Date
}

export interface ListedParticipant {
  participant_id: Uuid
  slug: string
  name: string
  kind: ParticipantKind
  status: ParticipantStatus
  admitted_at: Date
  /** While it is on probation: until when it should be decided. */
  probation_until: Date | null
  /** Slugs of the groups that it is in now. */
  groups: readonly string[]
  /** The newest that it accepted. */
  agreement: { version: string; accepted_at: Date } | undefined
  credentials: readonly ListedCredential[]
  signing_keys: readonly ListedKey[]
  /** How near the end its last key that works is; undefined where it has none. */
  ends: ExpiryBand | undefined
}

export interface Directory {
  /** Everybody that was ever admitted, by slug, with keys and groups. */
  directory(): Promise<ListedParticipant[]>
}

export const createDirectory = ({ admin, clock }: Pick<ActContext, 'admin' | 'clock'>): Directory => ({
  directory: () =>
    atControl(admin, async (tx) => {
      const now = clock()
      const groups = Map.groupBy(await store.presentGroups(tx), ({ participant_id }) => participant_id)
      const agreements = Map.groupBy(await store.agreements(tx), ({ participant_id }) => participant_id)
      const credentials = Map.groupBy(await store.credentials(tx), ({ participant_id }) => participant_id)
      const keys = Map.groupBy(await store.signingKeys(tx), ({ participant_id }) => participant_id)
      return (await store.admitted(tx)).map(({ participant_id, kind, status, ...row }): ListedParticipant => {
        const own = (credentials.get(participant_id) ?? []).map((one) => credentialOf(one, now))
        const accepted = agreements.get(participant_id)?.at(-1)
        return {
          ...{ participant_id, ...row },
          kind: nameOf(PARTICIPANT_KIND, kind),
          status: nameOf(PARTICIPANT_STATUS, status),
          groups: (groups.get(participant_id) ?? []).map(({ slug }) => slug),
          agreement: accepted && { version: accepted.version, accepted_at: accepted.accepted_at },
          credentials: own,
          signing_keys: (keys.get(participant_id) ?? []).map(keyOf),
          // The newest first: the first that works ends last.
          ends: own.find(isLive)?.ends,
        }
      })
    }),
})

function credentialOf(
  { credential_id, spki, status, ...row }: Awaited<ReturnType<typeof store.credentials>>[number],
  now: Date,
): ListedCredential {
  const { label, scopes, not_before, not_after } = row
  return {
    ...{ credential: credential_id, label, spki: toHex(spki), scopes, not_before, not_after },
    status: nameOf(CREDENTIAL_STATUS, status),
    ends: expiryBand(not_after, now),
  }
}

const keyOf = ({
  kid,
  alg,
  status,
  not_before,
  not_after,
}: Awaited<ReturnType<typeof store.signingKeys>>[number]): ListedKey => ({
  ...{ kid, alg, not_before, not_after },
  status: nameOf(KEY_STATUS, status),
})
