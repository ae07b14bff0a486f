import { base64UrlBytes, compare, concat, type Hash, toBase64Url, u64, utf8 } from '../kernel/bytes.ts'
import type { ChainLink } from './batch.ts'

export type { ChainLink } from './batch.ts'

const LINK = utf8('prov-link/v1\n')
const CHAINS = utf8('prov-chains/v1\n')
const ENTRY = utf8('prov-entry/v1\n')
const VERSION = Uint8Array.of(1)

/** L(p,0): where a party's chain starts in one log. */
export const genesisLink = (hash: Hash, origin: string, party: string): Uint8Array =>
  hash(utf8(`prov-chain/v1\n${origin}\n${party}\n`))

/** L(p,s) = SHA-256("prov-link/v1\n" || L(p,s-1) || u64(s) || C). */
export const nextLink = (hash: Hash, link: Uint8Array, seq: bigint, c: Uint8Array): Uint8Array =>
  hash(concat(LINK, link, u64(seq), c))

/** The disclosure of one link; rebuilt from its parts, never stored. */
export const chainDisclosure = (link: ChainLink): string => toBase64Url(chainText(link))

export const chainDigest = (hash: Hash, link: ChainLink): Uint8Array => hash(base64UrlBytes(chainText(link)))

const chainText = ({ party, seq, salt, link }: ChainLink): Uint8Array =>
  utf8(`["${toBase64Url(salt)}","chain",{"party":"${party}","seq":${seq},"link":"${toBase64Url(link)}"}]`)

export const decoyDigest = (hash: Hash, salt: Uint8Array): Uint8Array =>
  hash(base64UrlBytes(utf8(`["${toBase64Url(salt)}","decoy"]`)))

/** Decoys that pad `n` chain digests to a power of two, at least one digest. */
export function decoyCount(n: number): number {
  let size = 1
  while (size < n) size *= 2
  return size - n
}

/** H = SHA-256("prov-chains/v1\n" || sorted digests). */
export const chainsHash = (hash: Hash, digests: readonly Uint8Array[]): Uint8Array =>
  hash(concat(CHAINS, ...[...digests].sort(compare)))

/** entry = 0x01 || SHA-256("prov-entry/v1\n" || C || H), 33 bytes. */
export const entryOf = (hash: Hash, c: Uint8Array, h: Uint8Array): Uint8Array =>
  concat(VERSION, hash(concat(ENTRY, c, h)))
