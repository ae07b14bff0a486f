import { parseNote } from '../provenance/note.ts'
import { type Policy, trustsLog, witnessedBy } from '../provenance/policy.ts'
import { type Finding, numbered } from './finding.ts'
import type { Pinned, SignedHead } from './head.ts'

/** Clocks of witnesses may be ahead of ours by so much. */
const AHEAD_MOST_S = 300n

/** Check 2: the policy trusts the log, enough of its witnesses cosigned the checkpoint, and none of them in the future. */
export function checkQuorum(
  { pinned, policy, now }: { pinned: Pinned; policy: Policy | undefined; now: Date },
  head: SignedHead | undefined,
): Finding {
  const check = numbered(2, 'witnesses')
  if (policy === undefined) return check.unknown('no policy is given that says whose cosignatures are needed')
  if (!trustsLog(policy, pinned.key))
    return check.fail('the policy trusts another log than the pinned one', 'checkpoint')
  const note = parseNote(head?.note ?? '')
  if (note === undefined) return check.unknown('there is no signed checkpoint to look for cosignatures on')
  const { cosigned, quorum, missing } = witnessedBy(policy, note, pinned.verify)
  const latest = BigInt(Math.floor(now.getTime() / 1_000)) + AHEAD_MOST_S
  const early = [...cosigned].find(([, seconds]) => seconds > latest)
  if (early !== undefined) return check.fail(`${early[0]} cosigned at a time that is still to come`, 'checkpoint')
  if (!quorum) return check.fail(`not enough witnesses cosigned: ${missing.join(', ')} did not`, 'checkpoint')
  const names = [...cosigned.keys()].join(', ')
  return check.pass(
    cosigned.size === 0 ? 'the policy asks for no cosignature' : `cosigned by ${names}: enough for the policy`,
  )
}
