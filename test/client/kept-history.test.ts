import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openHistory } from '../../src/client/kept-history.ts'
import { toBase64Url, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { chainDisclosure, chainsHash, entryOf, genesisLink, nextLink } from '../../src/provenance/chain.ts'
import { commitment, digestOf, payloadOver } from '../../src/provenance/commitment.ts'
import { fileOf, forge, ORIGIN } from '../provenance/forge.ts'

const OF = { party: 'apple', origin: ORIGIN }
const SALT = new Uint8Array(32)
const EVENT = '018f6b2e-0000-7000-8000-000000000001'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-kept-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** A log that has links of one chain alone, and each as its line. */
function aLog(n: number) {
  let link = genesisLink(sha256, OF.origin, OF.party)
  const disclosures = Object.entries({ type: 'read.batch', time: '2026-01-01T00:00:00.000Z' }).map((field) =>
    toBase64Url(utf8(JSON.stringify(['', ...field]))),
  )
  const payload = payloadOver(disclosures.map((one) => digestOf(sha256, one)))
  const c = commitment(sha256, payload)
  const made = Array.from({ length: n }, (_, i) => {
    const seq = BigInt(i + 1)
    link = nextLink(sha256, link, seq, c)
    const chains = [chainDisclosure({ party: OF.party, seq, link, salt: SALT })]
    const record = { v: 1, payload, disclosures, chains }
    const entry = entryOf(sha256, c, chainsHash(sha256, [sha256(utf8(chains[0] ?? ''))]))
    return { entry, line: JSON.stringify({ seq: String(seq), event: EVENT, index: String(i), record }) }
  })
  const forged = forge(made.map(({ entry }) => entry))
  /** Gives out so many lines, and then goes away. */
  const client = (most: number) => ({
    tile: async (path: string) => fileOf(forged, path),
    async *chain({ after }: { after: bigint }) {
      yield* made.slice(Number(after), most).map(({ line }) => line)
      if (most < n) throw new Error('gone away')
    },
  })
  return { head: { ...forged, origin: OF.origin }, client }
}

test('a chain that was taken in part is known no further than its last link, and the rest is taken by the next run', async () => {
  const { head, client } = aLog(300)
  const kept = openHistory(dir, OF)
  await expect(kept.extend(client(280), head)).rejects.toThrow('gone away')
  expect(openHistory(dir, OF).place).toMatchObject({ seq: 256n, index: 255n, size: 256n })
  expect(await kept.extend(client(300), head)).toBe(44)
  expect(kept.place).toMatchObject({ seq: 300n, size: 300n })
})
