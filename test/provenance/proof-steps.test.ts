import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Plain } from '../../src/kernel/sha256-plain.ts'
import { chainDisclosure, chainsHash, entryOf } from '../../src/provenance/chain.ts'
import { commitment } from '../../src/provenance/commitment.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { parsePolicy } from '../../src/provenance/policy.ts'
import { type ProofStep, type Proving, proofSteps, verdictOf } from '../../src/provenance/proof-steps.ts'
import { tilePath } from '../../src/provenance/tile.ts'
import { disclosure, payloadOf } from './disclosures.ts'
import { entriesOf, fileOf, forge, LOG_KEY, with_ } from './forge.ts'

const INDEX = 300n
const SIZE = 700
const salt = (i: number): Uint8Array => new Uint8Array(32).fill(i)

const disclosures = [disclosure(salt(1), 'type', 'signal.submitted'), disclosure(salt(2), 'actor', 'aster')]
const payload = payloadOf(sha256, disclosures)
const chains = [chainDisclosure({ party: 'aster', seq: 1n, salt: salt(3), link: salt(4) })]
const digests = chains.map((one) => sha256(utf8(one)))
const own = entryOf(sha256, commitment(sha256, payload), chainsHash(sha256, digests))
const record = { v: 1 as const, payload, disclosures, chains }
const entries = entriesOf(SIZE).map((entry, i) => (i === Number(INDEX) ? own : entry))
const log = forge(entries)
const before = forge(entries.slice(0, 400))

const { vkey } = LOG_KEY

const honest = (of = log): Proving => ({
  ...{ hash: sha256Plain, verify: verifyEd25519, vkey, note: of.note, policy: undefined, index: INDEX, record },
  tile: async (level, n, width) => fileOf(of, tilePath(level, n, width)),
  trusted: { size: before.size, root: before.root },
})
const results = async (proving: Proving): Promise<string> =>
  (await proofSteps(proving)).map(({ result }) => result).join(' ')
const failed = async (proving: Proving): Promise<ProofStep['step'][]> =>
  (await proofSteps(proving)).flatMap(({ step, result }) => (result === 'FAIL' ? [step] : []))

/** The tile with one byte changed. */
function spoilt(path: string, at: number) {
  const data = concat(fileOf(log, path))
  data[at] = (data[at] ?? 0) ^ 1
  return with_(log, path, data)
}

test('what is so passes, and what nobody can tell is unknown', async () => {
  expect(await results(honest())).toBe('PASS PASS PASS UNKNOWN PASS')
  expect(await results({ ...honest(), record: undefined })).toBe('UNKNOWN PASS PASS UNKNOWN PASS')
  expect(await results({ ...honest(), trusted: undefined })).toBe('PASS PASS PASS UNKNOWN UNKNOWN')
  expect(await results({ ...honest(), verify: undefined })).toBe('PASS PASS UNKNOWN UNKNOWN PASS')
  expect(verdictOf(await proofSteps(honest()))).toBe('PASS')
})

test('without the path or the signature nothing is verified, whatever else passes', async () => {
  const verdict = async (change: Partial<Proving>) => verdictOf(await proofSteps({ ...honest(), ...change }))
  expect(await verdict({ verify: undefined })).toBe('UNKNOWN')
  expect(await verdict({ record: undefined, tile: undefined, path: [], trusted: undefined })).toBe('UNKNOWN')
  expect(await verdict({ record: undefined, trusted: undefined })).toBe('PASS')
  expect(verdictOf([])).toBe('UNKNOWN')
})

describe('what was forged fails at its step alone, or from there on', () => {
  const leafTile = tilePath(0, 1n, 256)
  test.for<[name: string, proving: Proving, steps: ProofStep['step'][]]>([
    [
      'a field',
      { ...honest(), record: { ...record, disclosures: [disclosure(salt(1), 'type', 'erasure')] } },
      ['leaf'],
    ],
    [
      'a chain',
      {
        ...honest(),
        record: { ...record, chains: [chainDisclosure({ party: 'birch', seq: 1n, salt: salt(3), link: salt(4) })] },
      },
      ['leaf'],
    ],
    ['the leaf in the tree', honest(spoilt(leafTile, 32 * (Number(INDEX) % 256))), ['leaf', 'path', 'consistency']],
    ['a leaf beside it', honest(spoilt(leafTile, 0)), ['path', 'consistency']],
    ['a tile that is not there', honest(with_(log, leafTile, undefined)), ['path', 'consistency']],
    ['the signature', { ...honest(), note: log.note.replace(/.{10}\n$/, 'AAAAAAAAA=\n') }, ['signature']],
    [
      'another key',
      { ...honest(), note: forge(entries, { ...LOG_KEY, note: () => log.note.replace(LOG_KEY.name, 'other') }).note },
      ['signature'],
    ],
    ['another past', { ...honest(), trusted: { size: 400n, root: salt(9) } }, ['consistency']],
    ['the same size with another root', { ...honest(), trusted: { size: log.size, root: salt(9) } }, ['consistency']],
    ['a log that went back', { ...honest(before), trusted: { size: log.size, root: log.root } }, ['consistency']],
    ['an entry beyond the log', { ...honest(), index: 900n }, ['path']],
  ])('%s', async ([, proving, steps]) => expect(await failed(proving)).toEqual(steps))

  test('a witness that did not cosign', async () => {
    const text = 'witness w1 witness.example/w1+24b5d9fe+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY\nquorum w1\n'
    const steps = await proofSteps({ ...honest(), policy: parsePolicy(sha256, text) })
    expect(steps.find(({ step }) => step === 'witnesses')).toMatchObject({
      result: 'FAIL',
      says: expect.stringContaining('w1'),
    })
    expect(verdictOf(steps)).toBe('FAIL')
  })
})

test('a step that fails hides no other', async () => {
  const note = log.note.replace(/.{10}\n$/, 'AAAAAAAAA=\n')
  expect(await failed({ ...honest(), note, trusted: { size: 400n, root: salt(9) } })).toEqual([
    'signature',
    'consistency',
  ])
})
