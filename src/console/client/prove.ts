/** Proves entries in this tab, by the same code as everywhere else; the node's word is taken for nothing. */
import { sha256Plain } from '../../kernel/sha256-plain.ts'
import { openCheckpoint } from '../../provenance/checkpoint.ts'
import { parseNote, parseVkey, type VerifierKey, type VerifyEd25519 } from '../../provenance/note.ts'
import { type Policy, PolicyMalformed, parsePolicy, witnessedBy } from '../../provenance/policy.ts'
import { type ProofStep, type Proving, proofSteps } from '../../provenance/proof-steps.ts'
import { ed25519For } from './ed25519.ts'
import { remember, remembered } from './trust.ts'

export type Asked = Omit<Proving, 'hash' | 'verify' | 'vkey' | 'policy' | 'trusted'> & {
  vkey: string
  policy: string | undefined
}

const failed = (step: ProofStep['step'], says: string): ProofStep => ({ step, result: 'FAIL', says })

/** The steps; with `keep`, what was proven is what this browser trusts from now on. */
export async function prove(asked: Asked, { keep }: { keep: boolean }): Promise<ProofStep[]> {
  const vkey = parseVkey(sha256Plain, asked.vkey.trim())
  if (vkey === undefined) return [failed('signature', 'The key of the log is none (C2SP signed-note).')]
  const known = keep ? remembered(vkey.name) : undefined
  const policy = policyOf(asked.policy)
  const verify = await verifierFor(asked.note, vkey, policy)
  const steps = await proofSteps({
    ...asked,
    ...{ hash: sha256Plain, verify, vkey, policy, trusted: known?.head },
  })
  if (known !== undefined && known.vkey !== asked.vkey.trim())
    return steps.map((one) =>
      one.step === 'signature'
        ? failed(
            'signature',
            'The node shows another key for this log than the one that this browser has seen: two logs have one name.',
          )
        : one,
    )
  if (keep) keepHead(asked, { vkey, verify, steps })
  return steps
}

/** Only what is signed, and continues what was known, is remembered. */
function keepHead(
  asked: Asked,
  { vkey, verify, steps }: { vkey: VerifierKey; verify: VerifyEd25519 | undefined; steps: readonly ProofStep[] },
): void {
  if (verify === undefined || steps.some(({ result }) => result === 'FAIL')) return
  const signed = openCheckpoint(asked.note, vkey, verify)
  if (signed.outcome === 'failed') return
  const { size, root } = signed.checkpoint
  remember(vkey.name, { vkey: asked.vkey.trim(), head: { size, root } })
}

function policyOf(text: string | undefined): Policy | undefined {
  if (text === undefined) return undefined
  try {
    return parsePolicy(sha256Plain, text)
  } catch (error) {
    if (error instanceof PolicyMalformed) return undefined
    throw error
  }
}

const verifierFor = (note: string, vkey: VerifierKey, policy: Policy | undefined): Promise<VerifyEd25519 | undefined> =>
  ed25519For((verify) => {
    openCheckpoint(note, vkey, verify)
    const parsed = parseNote(note)
    if (parsed !== undefined && policy !== undefined) witnessedBy(policy, parsed, verify)
  })
