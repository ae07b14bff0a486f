import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { removeDurably, writeDurably } from '../kernel/durable.ts'
import type { NodeKeys } from '../participants/schema.ts'
import { readIfThere, readSecret } from './files.ts'
import type { Membership } from './home.ts'
import { makeSigningKey } from './signing-key.ts'
import { openVkey } from './verify.ts'

/** What an enrolment gave, and the private keys it was asked for with. */
export interface Enrolled {
  membership: Membership
  key: string
  signing: string
  certificate: string
  ca: string
  node: NodeKeys
}

/** What a participant's folder has of its enrolment. */
export const ENROLLED_FILES = {
  membership: 'membership.json',
  key: 'tls.key',
  certificate: 'tls.crt',
  ca: 'ca.crt',
  signing: 'signing.jwk',
  vkey: 'log.vkey',
  receiptKeys: 'node-receipt-keys.json',
} as const

/** What an enrolment gave, whole; there until each part of it is in its place. */
const NEXT_FILE = 'enrol.next'
/** The signing key that an enrolment is asked for with; there until it is done. */
const ASKED_FILE = 'enrol.signing.jwk'

/** Before the node has it, and the same until one is enrolled: it may know this one, and would have another wait for its confirmation. */
export function signingKeyToEnrol(dir: string): string {
  const kept = readSecret(join(dir, ENROLLED_FILES.signing)) ?? readSecret(join(dir, ASKED_FILE))
  if (kept !== undefined) return kept
  const made = makeSigningKey()
  writeDurably(join(dir, ASKED_FILE), made, 0o600)
  return made
}

/** Throws `VerificationFailed`, and writes nothing, if the log's key is none. */
export function keepEnrolled(dir: string, given: Enrolled): void {
  openVkey(given.node.log_vkey)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeDurably(join(dir, NEXT_FILE), JSON.stringify(given), 0o600)
  endEnrolment(dir)
}

/** Puts what an enrolment gave in its place, also one that a crash broke off: between its steps key and certificate are of two enrolments. */
export function endEnrolment(dir: string): void {
  const at = (name: string): string => join(dir, name)
  const next = readSecret(at(NEXT_FILE))
  if (next === undefined) return
  const { membership, key, signing, certificate, ca, node } = JSON.parse(next) as Enrolled
  writeDurably(at(ENROLLED_FILES.key), key, 0o600)
  writeDurably(at(ENROLLED_FILES.signing), signing, 0o600)
  writeDurably(at(ENROLLED_FILES.certificate), certificate)
  writeDurably(at(ENROLLED_FILES.ca), ca)
  // A log that was pinned before stays pinned: another key for it is what the pin is there to notice.
  const vkey = at(ENROLLED_FILES.vkey)
  if (readIfThere(vkey) === undefined) writeDurably(vkey, `${node.log_vkey}\n`)
  writeDurably(at(ENROLLED_FILES.receiptKeys), `${JSON.stringify(node.receipt_keys, undefined, 2)}\n`)
  // Last: a home with a membership has everything else.
  writeDurably(at(ENROLLED_FILES.membership), `${JSON.stringify(membership, undefined, 2)}\n`)
  removeDurably(at(ASKED_FILE))
  removeDurably(at(NEXT_FILE))
}
