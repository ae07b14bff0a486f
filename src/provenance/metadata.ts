import { type Hash, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { fieldOf } from './commitment.ts'
import { formatReceipt, parseReceipt } from './receipt.ts'

/** What tells nothing of the signals: kind, time, and who acted. */
const METADATA: ReadonlySet<string> = new Set(['type', 'time', 'actor'])

/** A receipt that opens metadata alone and hides whose chains moved; it verifies as the whole one does. */
export function metadataOf(hash: Hash, text: string): string {
  const receipt = parseReceipt(text)
  if (receipt === undefined) throw new RangeError('a malformed receipt')
  const { payload, disclosures, chains, chain_digests = [] } = receipt.extra
  const hidden = chains.map((chain) => toBase64Url(hash(utf8(chain))))
  const extra = {
    v: 1 as const,
    payload,
    disclosures: disclosures.filter((one) => METADATA.has(fieldOf(one)?.name ?? '')),
    chains: [],
    chain_digests: [...hidden, ...chain_digests].sort(),
  }
  return formatReceipt({ ...receipt, extra })
}
