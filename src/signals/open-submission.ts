import type { KeyObject } from 'node:crypto'
import { fromBase64Url } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import { createPathCheck } from '../provenance/path-check.ts'
import {
  checkCanonical,
  type FlatJws,
  headerOf,
  invalid,
  itemLeaf,
  payloadText,
  type SigningAlg,
  type SubmissionHeader,
  textOf,
  verifyJws,
} from './submission.ts'

/** One item as its recipients get it: with the path to the signed root. */
export interface ProvenItem {
  salt: string
  item: string
  index: number
  path: string
}

/** A submission of which items are received one by one. */
export interface OpenedSubmission {
  header: SubmissionHeader
  /** Throws unless these very bytes are at this place of what was signed. */
  check(proven: ProvenItem): void
}

/** What a recipient checks of a submission once, whatever comes of it: its one form, the source's key, the signed root. */
export function openSubmission(
  { jws, count }: { jws: FlatJws; count: number },
  key: { alg: SigningAlg; key: KeyObject },
): OpenedSubmission {
  checkCanonical(jws)
  const header = headerOf(jws.protected)
  if (header.alg !== key.alg || !verifyJws(jws, key)) throw invalid('the signature is not by the named key')
  const payload = textOf(jws.payload)
  const root = fromBase64Url(SIGNED_ROOT.exec(payload)?.[1] ?? '')
  // A number that is no integer has no place.
  if (root?.length !== 32 || !Number.isSafeInteger(count) || payload !== payloadText(count, root))
    throw invalid('the signed count and root are not those of this submission')
  const isUnder = createPathCheck(sha256, root, count)
  return { header, check: (proven) => checkItem(proven, isUnder) }
}

const SIGNED_ROOT = /"root":"([A-Za-z0-9_-]{43})"\}$/

function checkItem(proven: ProvenItem, isUnder: ReturnType<typeof createPathCheck>): void {
  const { item, index } = proven
  const salt = canonical(proven.salt)
  const path = canonical(proven.path)
  if (salt?.length !== 16 || path === undefined || path.length % 32 !== 0) throw invalid('salt or path is malformed')
  // A lone surrogate has the bytes of U+FFFD.
  if (!item.isWellFormed() || !Number.isSafeInteger(index)) throw invalid('item or index is malformed')
  if (!isUnder({ leaf: itemLeaf(salt, item), index, path })) throw invalid('the item is not in the signed tree')
}

/** As `fromBase64Url`, in half of the time. */
function canonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
