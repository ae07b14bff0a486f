import { sha256Rows } from '../kernel/sha256-rows.ts'
import { decoyTexts } from './record.ts'

/** A decoy that is made and not used yet: its digest, and the salt that shows auditors that nothing is behind it; both 43 characters of base64url. */
export interface Decoy {
  salt: string
  digest: string
}

const AT_ONCE = 256
const NO_PREFIX = new Uint8Array(0)
const DIGEST = 32
/** Bytes and characters of a digest that is written behind another: both end where base64url does. */
const [SLOT, SLOT_TEXT, DIGEST_TEXT] = [33, 44, 43]

/** Gives decoys made many at a time: nothing of a record goes into one, and of the eight digests of a read seven are. */
export function decoySource(salt: () => string): () => Decoy {
  let salts: string[] = []
  let digests = ''
  return () => {
    if (salts.length === 0) {
      salts = Array.from({ length: AT_ONCE }, salt)
      digests = digestsOf(salts)
    }
    const at = SLOT_TEXT * (salts.length - 1)
    return { salt: salts.pop() ?? '', digest: digests.slice(at, at + DIGEST_TEXT) }
  }
}

/** Digests of decoys, hashed together and written at once. */
function digestsOf(salts: readonly string[]): string {
  const rows = Buffer.from(decoyTexts(salts).join(''), 'latin1')
  const hashed = sha256Rows(NO_PREFIX, rows, rows.length / salts.length)
  const spread = Buffer.alloc(SLOT * salts.length)
  for (let i = 0; i < salts.length; i++) spread.set(hashed.subarray(DIGEST * i, DIGEST * (i + 1)), SLOT * i)
  return spread.toString('base64url')
}
