import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import type { Authority } from './authority.ts'
import type { HashKey, HashProfileList } from './schema.ts'

export interface HashProfiles {
  list(): HashProfileList
  /** The key of an `hmac-sha256` epoch that begins soon or runs; `read` names the journaled disclosure. */
  key(by: { participant: Uuid; route: string }, kid: string): Promise<{ key: HashKey; read: string }>
}

export interface HashProfileOptions {
  db: Db
  keys: KeyService
  provenance: ProvenanceService
  authority: Pick<Authority, 'hashProfile' | 'hashProfiles'>
}

/** How the key of an epoch is named in the key service. */
export const hashKeyId = (kid: string): string => `hash-${kid}`

/** Key epochs of hashed identifiers. Their keys are known to all members, and who obtained which is in the journal. */
export function createHashProfiles({ db, keys, provenance, authority }: HashProfileOptions): HashProfiles {
  return {
    list: () => ({
      hash_profiles: authority.hashProfiles().map(({ kid, suite, status, not_before, not_after }) => ({
        ...{ kid, suite, status },
        not_before: not_before.toISOString(),
        not_after: not_after.toISOString(),
      })),
    }),
    async key({ participant, route }, kid) {
      const profile = authority.hashProfile(kid)
      if (profile === undefined || profile.suite !== 'hmac-sha256') throw new Refusal('not-found')
      if (profile.status === 'retired') throw new Refusal('hash-profile-retired')
      const secret = keys.shared(hashKeyId(kid))
      provenance.admit()
      const read = provenance.prepareRead({
        route,
        as_of: { hash_profile: kid },
        n: 1,
        // Of the key itself not even a digest: 256 random bits need none to be told apart.
        body: toBase64Url(sha256(Buffer.from(kid))),
        sources: [],
      })
      const [name = ''] = await asParticipant(db, participant, (tx) => provenance.insertReads(tx, participant, [read]))
      return { key: { kid, key: toBase64Url(secret) }, read: name }
    },
  }
}
