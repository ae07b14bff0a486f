import { compare, concat, type Hash, toBase64Url, u64, utf8, writeBase64Url } from '../kernel/bytes.ts'
import type { ChainLink } from './batch.ts'

export type { ChainLink } from './batch.ts'

const DIGEST = 32
const LINK = utf8('prov-link/v1\n')
const CHAINS = utf8('prov-chains/v1\n')
/** What is hashed of an entry begins with it. */
export const ENTRY = utf8('prov-entry/v1\n')
/** An entry's first byte. */
export const VERSION = 1
export const ENTRY_LENGTH = 1 + DIGEST

/** What is hashed next, laid out once: the log takes tens of thousands of entries a second, and a hash keeps nothing of it. */
const linked = laidOut(LINK, DIGEST + 8 + DIGEST)
const linkedView = new DataView(linked.buffer)
const entered = laidOut(ENTRY, 2 * DIGEST)
const alone = laidOut(CHAINS, DIGEST)
const NAME = /^[a-z0-9-]{1,63}$/
const SEQ_MAX = 0xffff_ffff_ffff_ffffn
/** Room for a disclosure and for its base64url. */
const text = new Uint8Array(256)
const encoded = new Uint8Array(384)

/** What a forged log or receipt holds instead does not fit where digests are laid out, and goes the way that takes anything. */
const isDigest = ({ length }: Uint8Array): boolean => length === DIGEST

function laidOut(head: Uint8Array, more: number): Uint8Array {
  const room = new Uint8Array(head.length + more)
  room.set(head)
  return room
}

/** L(p,0): where a party's chain starts in one log. */
export const genesisLink = (hash: Hash, origin: string, party: string): Uint8Array =>
  hash(utf8(`prov-chain/v1\n${origin}\n${party}\n`))

/** L(p,s) = SHA-256("prov-link/v1\n" || L(p,s-1) || u64(s) || C). */
export function nextLink(hash: Hash, link: Uint8Array, seq: bigint, c: Uint8Array): Uint8Array {
  if (!isDigest(link) || !isDigest(c)) return hash(concat(LINK, link, u64(seq), c))
  linked.set(link, LINK.length)
  linkedView.setBigUint64(LINK.length + DIGEST, seq)
  linked.set(c, LINK.length + DIGEST + 8)
  return hash(linked)
}

/** The disclosure of one link; rebuilt from its parts, never stored. */
export const chainDisclosure = ({ party, seq, salt, link }: ChainLink): string =>
  toBase64Url(utf8(`["${toBase64Url(salt)}","chain",{"party":"${party}","seq":${seq},"link":"${toBase64Url(link)}"}]`))

/** SHA-256 of the disclosure. */
export const chainDigest = (hash: Hash, own: ChainLink): Uint8Array => hash(chainDisclosed(own))

export const decoyDigest = (hash: Hash, salt: Uint8Array): Uint8Array => hash(decoyDisclosed(salt))

/** The bytes of `chainDisclosure`, until the next disclosure is made. */
export function chainDisclosed(own: ChainLink): Uint8Array {
  const { party, seq, salt, link } = own
  const fits = NAME.test(party) && seq >= 0n && seq <= SEQ_MAX && isDigest(salt) && isDigest(link)
  if (!fits) return utf8(chainDisclosure(own))
  const from = writeBase64Url(salt, text, ascii('["', 0))
  const to = writeBase64Url(link, text, ascii(`","chain",{"party":"${party}","seq":${seq},"link":"`, from))
  return encodedText(ascii('"}]', to))
}

/** The bytes of a decoy's disclosure, until the next is made. */
export function decoyDisclosed(salt: Uint8Array): Uint8Array {
  if (!isDigest(salt)) return utf8(toBase64Url(utf8(`["${toBase64Url(salt)}","decoy"]`)))
  return encodedText(ascii('","decoy"]', writeBase64Url(salt, text, ascii('["', 0))))
}

const encodedText = (end: number): Uint8Array => encoded.subarray(0, writeBase64Url(text.subarray(0, end), encoded, 0))

/** Writes into `text`; answers where it ends. */
function ascii(characters: string, at: number): number {
  for (let i = 0; i < characters.length; i++) text[at + i] = characters.charCodeAt(i)
  return at + characters.length
}

/** Decoys that pad `n` chain digests to a power of two, at least one digest. */
export function decoyCount(n: number): number {
  let size = 1
  while (size < n) size *= 2
  return size - n
}

/** H = SHA-256("prov-chains/v1\n" || sorted digests). */
export const chainsHash = (hash: Hash, digests: readonly Uint8Array[]): Uint8Array => hash(chainsHashed(digests))

/** What `chainsHash` hashes, of digests in any order. */
export function chainsHashed(digests: readonly Uint8Array[]): Uint8Array {
  const [only] = digests
  if (only === undefined || digests.length > 1 || !isDigest(only)) return concat(CHAINS, ...[...digests].sort(compare))
  alone.set(only, CHAINS.length)
  return alone
}

/** entry = 0x01 || SHA-256("prov-entry/v1\n" || C || H), 33 bytes. */
export function entryOf(hash: Hash, c: Uint8Array, h: Uint8Array): Uint8Array {
  if (!isDigest(c) || !isDigest(h)) return concat(Uint8Array.of(VERSION), hash(concat(ENTRY, c, h)))
  entered.set(c, ENTRY.length)
  entered.set(h, ENTRY.length + DIGEST)
  const entry = new Uint8Array(ENTRY_LENGTH)
  entry[0] = VERSION
  entry.set(hash(entered), 1)
  return entry
}
