import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endedPromises } from '../../src/client/ended-promises.ts'
import type { Membership } from '../../src/client/home.ts'
import type { Promised } from '../../src/client/promises.ts'
import { toBase64Url, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { chainDisclosure, genesisLink, nextLink } from '../../src/provenance/chain.ts'
import { commitment, digestOf, payloadOver } from '../../src/provenance/commitment.ts'
import { formatVkey } from '../../src/provenance/note.ts'
import { placeOf } from '../../src/provenance/origin.ts'
import { aKey } from '../provenance/signing.ts'

const FIRST = aKey('node.example.org/provenance/1', new Uint8Array(32).fill(1))
const SECOND = aKey('node.example.org/provenance/2', new Uint8Array(32).fill(2))
const SALT = new Uint8Array(32)
const ID = '018f6b2e-0000-7000-8000-000000000001'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-ended-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const vkeyOf = ({ name, publicKey }: typeof FIRST): string => `${formatVkey(sha256, name, publicKey)}\n`
const home = () => ({
  dir,
  membership: () => ({ participant: 'apple' }) as Membership,
  pinned: () => ({ vkey: vkeyOf(SECOND), head: undefined }),
})

interface Told {
  index: bigint
  fields: Record<string, unknown>
}

/** Our chain in a log, as `aldis history` keeps it. */
function keepChain({ name }: typeof FIRST, number: number, entries: readonly Told[]): void {
  const party = 'apple'
  let link = genesisLink(sha256, name, party)
  const lines = entries.map(({ index, fields }, i) => {
    const seq = BigInt(i + 1)
    const disclosures = Object.entries({ time: '2026-01-01T00:00:00.000Z', ...fields }).map((field) =>
      toBase64Url(utf8(JSON.stringify(['', ...field]))),
    )
    const payload = payloadOver(disclosures.map((one) => digestOf(sha256, one)))
    link = nextLink(sha256, link, seq, commitment(sha256, payload))
    const chains = [chainDisclosure({ party, seq, link, salt: SALT })]
    return `${JSON.stringify({ seq: String(seq), event: ID, index: String(index), record: { v: 1, payload, disclosures, chains } })}\n`
  })
  const folder = join(dir, 'history', String(number))
  mkdirSync(folder, { recursive: true })
  const text = lines.join('')
  writeFileSync(join(folder, 'chain.ndjson'), text)
  const place = { origin: name, party, seq: String(entries.length), link: toBase64Url(link), index: '9', size: '10' }
  writeFileSync(join(folder, 'place.json'), JSON.stringify({ ...place, bytes: Buffer.byteLength(text) }))
}

/** The folder went over from the first log, which ended at a size by the second one, and at another by what we knew. */
function keepFormer(at: string, ended: bigint, known: bigint): void {
  const former = join(dir, 'former', '1')
  mkdirSync(former, { recursive: true })
  const note = (size: bigint): string => FIRST.note({ origin: FIRST.name, size, root: new Uint8Array(32) })
  writeFileSync(join(former, 'log.vkey'), vkeyOf(FIRST))
  writeFileSync(join(former, 'log.ended'), `${at}\n${note(ended)}`)
  writeFileSync(join(former, 'log.checkpoint'), note(known))
}

const promise = (name: string, at: string, read?: string): Promised => ({
  ...{ name, event: ID, c: '', at, since: at },
  ...(read !== undefined && { read }),
})
const batch = (index: bigint, reader: string, [from, to]: readonly [string, string]): Told => ({
  index,
  fields: { type: 'read.batch', reader, from, to },
})
const MORNING = ['2026-01-01T08:00:00.000Z', '2026-01-01T08:01:00.000Z'] as const
const EVENING = ['2026-01-01T20:00:00.000Z', '2026-01-01T20:01:00.000Z'] as const

test('of reads those alone are over that were made in a batch of ours which our chain names so, in whichever log it is', async () => {
  keepFormer('2026-02-01T00:00:00.000Z', 10n, 10n)
  keepChain(FIRST, 1, [batch(4n, 'apple', MORNING), batch(5n, 'plum', EVENING), batch(6n, 'apple', EVENING)])
  const batches = [placeOf(1, 4n), placeOf(1, 5n), placeOf(2, 4n)].map(String)
  keepChain(SECOND, 2, [{ index: 4n, fields: { type: 'reads.expired', batches } }])
  const [over, young] = [promise('over', MORNING[0], '0'), promise('young', EVENING[0], '0')]
  const submission = promise('submission', MORNING[0])
  expect(await endedPromises(home(), [over, young, submission])).toEqual(new Set(['over']))
  keepChain(SECOND, 2, [])
  expect(await endedPromises(home(), [over])).toEqual(new Set())
})

test('whatever was promised before a loss that the folder accepted is over; after a rotation without one nothing is', async () => {
  const promises = [promise('before', MORNING[0]), promise('read', MORNING[0], '0'), promise('after', EVENING[0])]
  keepFormer('2026-01-01T12:00:00.000Z', 8n, 10n)
  expect(await endedPromises(home(), promises)).toEqual(new Set(['before', 'read']))
  keepFormer('2026-01-01T12:00:00.000Z', 10n, 10n)
  expect(await endedPromises(home(), promises)).toEqual(new Set())
})
