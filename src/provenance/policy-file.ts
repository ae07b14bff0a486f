import { readFileSync, statSync } from 'node:fs'
import { StartRefused } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { VerifierKey } from './note.ts'
import { POLICY_MAX, type Policy, PolicyMalformed, parsePolicy, trustsLog } from './policy.ts'

/** Signature lines that every reader of a note takes are 16, and one is the log's. */
const WITNESSES_MAX = 15

/** The policy that a node publishes under. */
export interface NodePolicy {
  /** Verbatim. */
  text: string
  policy: Policy
}

/** `StartRefused` unless the file is a policy of this log whose every witness can be asked. */
export function readPolicy(path: string, log: VerifierKey): NodePolicy {
  const refused = (why: string): StartRefused => new StartRefused(`WITNESS_POLICY: ${why}`)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || stat.size > POLICY_MAX) throw refused(`names no file of at most ${POLICY_MAX} bytes`)
  const text = readFileSync(path, 'utf8')
  const policy = parsed(text, refused)
  if (!trustsLog(policy, log)) throw refused("its logs are others than this node's: expected the vkey of this log")
  if (policy.witnesses.length > WITNESSES_MAX) throw refused(`it has more than ${WITNESSES_MAX} witnesses`)
  const silent = policy.witnesses.find(({ url }) => url === undefined)
  if (silent !== undefined) throw refused(`the witness ${silent.name} has no URL, so that it cannot be asked`)
  return { text, policy }
}

function parsed(text: string, refused: (why: string) => StartRefused): Policy {
  try {
    return parsePolicy(sha256, text)
  } catch (error) {
    if (error instanceof PolicyMalformed) throw refused(error.message)
    throw error
  }
}
