import { sha256 } from '../kernel/sha256.ts'
import { parseNote, type VerifierKey } from '../provenance/note.ts'
import { type Policy, PolicyMalformed, parsePolicy, trustsLog, witnessedBy } from '../provenance/policy.ts'
import { verifyEd25519 } from './ed25519.ts'
import { VerificationFailed } from './errors.ts'

/** A policy of witnesses (C2SP tlog-policy) that holds for the pinned log; throws `VerificationFailed` for any other. */
export function openPolicy(text: string, vkey: VerifierKey): Policy {
  let policy: Policy
  try {
    policy = parsePolicy(sha256, text)
  } catch (error) {
    if (error instanceof PolicyMalformed) throw new VerificationFailed('policy', error.message)
    throw error
  }
  if (!trustsLog(policy, vkey)) throw new VerificationFailed('policy', 'it names other logs than the pinned one')
  return policy
}

/** Why the cosignatures of a note are not those that the policy asks for; undefined if they are. */
export function lacksWitnesses(note: string, policy: Policy): string | undefined {
  const parsed = parseNote(note)
  if (parsed === undefined) return 'the note is not canonical'
  const { quorum, cosigned, missing } = witnessedBy(policy, parsed, verifyEd25519)
  if (quorum) return undefined
  return `${cosigned.size} of ${policy.witnesses.length} witnesses cosigned, which is no quorum; missing: ${missing.join(', ')}`
}

/** Throws `VerificationFailed` where the quorum is missing: who shows two histories shows them without witnesses. */
export function expectWitnessed(note: string, policy: Policy): void {
  const why = lacksWitnesses(note, policy)
  if (why !== undefined) throw new VerificationFailed('witnesses', why)
}
