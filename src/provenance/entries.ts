import type { HashRows } from '../kernel/bytes.ts'
import { hashAll } from '../kernel/hash-rows.ts'
import type { ChainLink } from './batch.ts'
import { chainDisclosed, chainsHashed, decoyDisclosed, ENTRY, ENTRY_LENGTH, VERSION } from './chain.ts'
import { hashesOf } from './tile.ts'

// The entries of many records at once: each as `entryOf` makes it of its own.

const DIGEST = 32

/** What an entry is made of. */
export interface Parts {
  /** 32 bytes. */
  c: Uint8Array
  chains: readonly ChainLink[]
  decoys: readonly Uint8Array[]
}

/** `ENTRY_LENGTH` bytes of each, one after the other. */
export function entriesOf(rows: HashRows, records: readonly Parts[]): Uint8Array {
  const hidden = hiddenIn(rows, records)
  const chains = hashAll(rows, hidden, chainsHashed)
  const parts = new Uint8Array(2 * DIGEST * records.length)
  records.forEach(({ c }, i) => {
    parts.set(c, 2 * DIGEST * i)
    parts.set(chains.subarray(DIGEST * i, DIGEST * (i + 1)), 2 * DIGEST * i + DIGEST)
  })
  const hashes = rows(ENTRY, parts, 2 * DIGEST)
  const out = new Uint8Array(ENTRY_LENGTH * records.length)
  for (let i = 0; i < records.length; i++) {
    out[ENTRY_LENGTH * i] = VERSION
    out.set(hashes.subarray(DIGEST * i, DIGEST * (i + 1)), ENTRY_LENGTH * i + 1)
  }
  return out
}

/** Of each record the digests of its links and decoys. */
function hiddenIn(rows: HashRows, records: readonly Parts[]): Uint8Array[][] {
  const links = records.flatMap(({ chains }) => chains)
  const salts = records.flatMap(({ decoys }) => decoys)
  const own = hashesOf(hashAll(rows, links, chainDisclosed))
  const padding = hashesOf(hashAll(rows, salts, decoyDisclosed))
  let [link, decoy] = [0, 0]
  return records.map(({ chains, decoys }) => {
    const digests = [...own.slice(link, link + chains.length), ...padding.slice(decoy, decoy + decoys.length)]
    link += chains.length
    decoy += decoys.length
    return digests
  })
}
