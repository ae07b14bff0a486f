import { compare, concat, type Hash, toBase64Url, u64, utf8 } from '../kernel/bytes.ts'
import type { ChainLink } from './batch.ts'

export type { ChainLink } from './batch.ts'

/** L(p,0): where a party's chain starts in one log. */
export const genesisLink = (hash: Hash, origin: string, party: string): Uint8Array =>
  hash(utf8(`prov-chain/v1\n${origin}\n${party}\n`))

/** L(p,s) = SHA-256("prov-link/v1\n" || L(p,s-1) || u64(s) || C). */
export const nextLink = (hash: Hash, link: Uint8Array, seq: bigint, c: Uint8Array): Uint8Array =>
  hash(concat(utf8('prov-link/v1\n'), link, u64(seq), c))

/** The disclosure of one link; rebuilt from its parts, never stored. */
export const chainDisclosure = ({ party, seq, salt, link }: ChainLink): string =>
  toBase64Url(utf8(`["${toBase64Url(salt)}","chain",{"party":"${party}","seq":${seq},"link":"${toBase64Url(link)}"}]`))

export const chainDigest = (hash: Hash, link: ChainLink): Uint8Array => hash(utf8(chainDisclosure(link)))

export const decoyDigest = (hash: Hash, salt: Uint8Array): Uint8Array =>
  hash(utf8(toBase64Url(utf8(`["${toBase64Url(salt)}","decoy"]`))))

/** Decoys that pad `n` chain digests to a power of two, at least one digest. */
export function decoyCount(n: number): number {
  let size = 1
  while (size < n) size *= 2
  return size - n
}

/** H = SHA-256("prov-chains/v1\n" || sorted digests). */
export const chainsHash = (hash: Hash, digests: readonly Uint8Array[]): Uint8Array =>
  hash(concat(utf8('prov-chains/v1\n'), ...[...digests].sort(compare)))

/** entry = 0x01 || SHA-256("prov-entry/v1\n" || C || H), 33 bytes. */
export const entryOf = (hash: Hash, c: Uint8Array, h: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(1), hash(concat(utf8('prov-entry/v1\n'), c, h)))
