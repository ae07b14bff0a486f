import { sha256Rows } from '../kernel/sha256-rows.ts'
import { decoyTexts } from './record.ts'

/** Decoys that were made before: the digest of each, and the salts that show auditors that nothing is behind them. */
export interface Decoys {
  /** 43 characters of base64url each. */
  digests: string[]
  /** One behind the other, as long each. */
  salts: string
}

/** Decoys made at once. */
const AT_ONCE = 256
const NO_PREFIX = new Uint8Array(0)
const DIGEST = 32
/** Bytes and characters of a digest that is written behind another: both end where base64url does. */
const [SLOT, SLOT_TEXT, TEXT] = [33, 44, 43]

/** Gives as many decoys as it is asked for, out of those made at once: nothing of a record goes into one, and of the eight digests of a read seven are. */
export function decoySource(salt: () => string): (n: number) => Decoys {
  let salts = ''
  let digests = ''
  let at = AT_ONCE
  return (n) => {
    if (n > AT_ONCE) throw new RangeError(`at most ${AT_ONCE} decoys`)
    if (at + n > AT_ONCE) {
      const drawn = Array.from({ length: AT_ONCE }, salt)
      digests = digestsOf(drawn)
      salts = drawn.join('')
      at = 0
    }
    const given: Decoys = { digests: [], salts: salts.slice(TEXT * at, TEXT * (at + n)) }
    for (const end = at + n; at < end; at++) given.digests.push(digests.slice(SLOT_TEXT * at, SLOT_TEXT * at + TEXT))
    return given
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
