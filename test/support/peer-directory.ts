import type { EnrolledCredential, PeerDirectory } from '../../src/http/peer.ts'
import { newId } from '../../src/kernel/ids.ts'
import type { ClientIdentity } from './pki.ts'

export interface MemoryDirectory extends PeerDirectory {
  /** Enrols the identity's key, or changes what is known of it, and tells the listeners. */
  set(identity: ClientIdentity, change?: Partial<EnrolledCredential>): EnrolledCredential
  /** As if the last refresh had been so many milliseconds ago. */
  setAge(ms: number): void
}

/** The enrolled keys of a test; a participant's id stays the same for all keys of a slug. */
export function memoryDirectory(): MemoryDirectory {
  const credentials = new Map<string, EnrolledCredential>()
  const listeners: ((spki: string) => void)[] = []
  let age = 0

  const enrolled = ({ slug }: ClientIdentity): EnrolledCredential => {
    const sibling = [...credentials.values()].find((credential) => credential.slug === slug)
    return {
      participant: sibling?.participant ?? newId(new Date()),
      slug,
      credential: newId(new Date()),
      scopes: ['feed:read', 'signals:submit'],
      status: 'active',
      participant_status: 'active',
      not_before: new Date(Date.now() - 3_600_000),
      not_after: new Date(Date.now() + 90 * 86_400_000),
    }
  }

  return {
    find: (spki) => credentials.get(spki),
    age: () => age,
    onChange: (listener) => listeners.push(listener),
    setAge: (ms) => {
      age = ms
    },
    set: (identity, change = {}) => {
      const credential = { ...(credentials.get(identity.spki) ?? enrolled(identity)), ...change }
      credentials.set(identity.spki, credential)
      for (const listener of listeners) listener(identity.spki)
      return credential
    },
  }
}
