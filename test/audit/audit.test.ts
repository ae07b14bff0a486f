import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AuditOptions, auditLog } from '../../src/audit/audit.ts'
import type { Prefix } from '../../src/audit/tree.ts'
import { concat, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { checkpointText, cosignatureBytes, cosignedText } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { evidenceOf, judgeEvidence } from '../../src/provenance/evidence.ts'
import { LogUnreadable } from '../../src/provenance/log-source.ts'
import { formatNote, formatVkey, NOTE_TYPE, signatureLine } from '../../src/provenance/note.ts'
import { parsePolicy } from '../../src/provenance/policy.ts'
import { parseTilePath } from '../../src/provenance/tile.ts'
import {
  entriesOf,
  type Forged,
  fileOf,
  forge,
  LOG_KEY,
  ORIGIN,
  signed,
  sourceOf,
  with_,
  withNote,
} from '../provenance/forge.ts'
import { aKey } from '../provenance/signing.ts'
import { flipped } from '../provenance/vectors.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const SECONDS = BigInt(NOW.getTime() / 1_000)
const ENTRIES = entriesOf(700)
const log = forge(ENTRIES)
const early = forge(ENTRIES.slice(0, 300))

const robin = aKey('witness.example/robin', new Uint8Array(32).fill(9))
const wren = aKey('witness.example/wren', new Uint8Array(32).fill(10))
const cosignerKey = (witness: typeof robin) =>
  formatVkey(sha256, witness.name, witness.publicKey, NOTE_TYPE.cosignature)
const POLICY = parsePolicy(
  sha256,
  `log ${formatVkey(sha256, ORIGIN, LOG_KEY.publicKey)}\nwitness robin ${cosignerKey(robin)}\nwitness wren ${cosignerKey(wren)}\ngroup birds any robin wren\nquorum birds\n`,
)
const cosigned = ({ size, root, note }: Forged, witness: typeof robin, seconds = SECONDS): string => {
  const text = checkpointText({ origin: ORIGIN, size, root })
  const signature = cosignatureBytes(seconds, witness.sign(cosignedText(text, seconds)))
  const { name, publicKey } = witness
  return `${note}${signatureLine(sha256, { name, publicKey, signature, type: NOTE_TYPE.cosignature })}`
}
const whole = withNote(log, cosigned(log, robin))
const KEPT = [{ name: 'kept', note: early.note }]

const auditOf = (forged: Forged, change: Partial<AuditOptions> = {}) =>
  auditLog({
    ...{ hash: sha256, source: sourceOf(forged), pinned: { key: LOG_KEY.vkey, verify: verifyEd25519 } },
    ...{ policy: POLICY, now: NOW, kept: KEPT },
    ...change,
  })
const resultsOf = async (forged: Forged, change: Partial<AuditOptions> = {}): Promise<string> =>
  (await auditOf(forged, change)).findings.map(({ result }) => result).join(' ')
const finding = async (n: number, forged: Forged, change: Partial<AuditOptions> = {}) =>
  (await auditOf(forged, change)).findings.find(({ check }) => check === n)

describe('a log that is sound, witnessed and continues what was kept', () => {
  test.for([0, 1, 255, 256, 257, 700])('of %i entries passes every check', async (size) => {
    const own = forge(ENTRIES.slice(0, size))
    const audit = await auditOf(withNote(own, cosigned(own, wren)), { kept: [{ name: 'kept', note: forge([]).note }] })
    expect(audit.findings.map(({ check, result }) => `${check} ${result}`)).toEqual([
      ...['1 PASS', '2 PASS', '3 PASS', '4 PASS'],
    ])
    expect(audit).toMatchObject({ result: 'PASS', head: { size: BigInt(size) }, contradictions: [] })
  })
})

describe('whoever holds the key and forges', () => {
  test('a checkpoint that is not canonical fails check 1', async () => {
    const text = `${ORIGIN}\n0700\n${log.note.split('\n')[2]}\n`
    const forged = withNote(log, formatNote(text, [LOG_KEY.line(text)]))
    expect(await resultsOf(forged)).toBe('FAIL UNKNOWN UNKNOWN UNKNOWN')
    expect(await finding(1, forged)).toMatchObject({ at: 'checkpoint', says: expect.stringContaining('not canonical') })
  })
  test('the checkpoint of another log fails check 1', async () => {
    const text = checkpointText({ origin: 'other.example/provenance/1', size: log.size, root: log.root })
    expect(await resultsOf(withNote(log, formatNote(text, [LOG_KEY.line(text)])))).toBe('FAIL UNKNOWN UNKNOWN UNKNOWN')
  })
  test('with another key under its name fails check 1', async () => {
    const forged = signed(log, aKey(ORIGIN, new Uint8Array(32).fill(8)))
    expect(await resultsOf(forged)).toBe('FAIL UNKNOWN UNKNOWN UNKNOWN')
  })
  test('an entry under the signed root fails check 3 alone, and the entry is named', async () => {
    const other = forge(ENTRIES.map((entry, i) => (i === 300 ? concat(Uint8Array.of(1), sha256('fig')) : entry)))
    const forged = with_(whole, 'tile/entries/001', fileOf(other, 'tile/entries/001'))
    expect(await resultsOf(forged)).toBe('PASS PASS FAIL PASS')
    expect(await finding(3, forged)).toMatchObject({ at: 'tile/entries/001', entry: '300' })
  })
  test('a root that the tree does not make fails check 3 alone', async () => {
    const other = forge(entriesOf(700, 'fig'))
    const forged = signed({ ...log, root: other.root })
    const witnessed = withNote(forged, cosigned(forged, robin))
    expect(await resultsOf(witnessed)).toBe('PASS PASS FAIL UNKNOWN')
    expect(await finding(3, witnessed)).toMatchObject({ at: 'checkpoint' })
  })
  test('another history, sound in itself, fails check 4 alone, and both notes are the evidence', async () => {
    const other = forge(ENTRIES.map((entry, i) => (i === 5 ? concat(Uint8Array.of(1), sha256('fig')) : entry)))
    const forged = withNote(other, cosigned(other, robin))
    const audit = await auditOf(forged)
    expect(audit.findings.map(({ result }) => result).join(' ')).toBe('PASS PASS PASS FAIL')
    expect(audit.contradictions).toMatchObject([{ notes: [early.note, forged.note] }])
    const vkey = formatVkey(sha256, ORIGIN, LOG_KEY.publicKey)
    const [found] = audit.contradictions
    const evidence = evidenceOf(vkey, ...(found?.notes ?? ['', '']), found?.path)
    expect(evidence.path.length).toBeGreaterThan(0)
    const using = { hash: sha256, key: LOG_KEY.vkey, verify: verifyEd25519 }
    expect(judgeEvidence(evidence, using)).toMatchObject({ outcome: 'claimed' })
    expect(audit.findings[3]).toMatchObject({ at: 'kept' })
  })
  test('a second root of the same size fails check 4, whatever the tree says', async () => {
    const other = forge(entriesOf(700, 'fig'))
    const kept = [{ name: 'told', note: other.note }]
    const audit = await auditOf(whole, { kept })
    expect(audit.contradictions).toEqual([{ notes: [other.note, whole.note], path: [] }])
    expect(await resultsOf(with_(whole, 'tile/0/000', undefined), { kept })).toBe('PASS PASS FAIL FAIL')
  })
  test('two kept checkpoints that contradict each other fail check 4', async () => {
    const told = forge(entriesOf(300, 'fig'))
    const audit = await auditOf(whole, { kept: [...KEPT, { name: 'told', note: told.note }] })
    expect(audit.findings[3]).toMatchObject({ result: 'FAIL' })
    expect(audit.contradictions.map(({ notes }) => notes)).toContainEqual([early.note, told.note])
  })
})

describe('check 2', () => {
  test('fails without the quorum, and names who is missing', async () => {
    expect(await finding(2, log)).toMatchObject({ result: 'FAIL', says: expect.stringContaining('robin, wren') })
    expect(await resultsOf(log)).toBe('PASS FAIL PASS PASS')
  })
  test('fails where a witness cosigned in the future, beyond what clocks differ', async () => {
    expect(await resultsOf(withNote(log, cosigned(log, robin, SECONDS + 300n)))).toBe('PASS PASS PASS PASS')
    expect(await resultsOf(withNote(log, cosigned(log, robin, SECONDS + 301n)))).toBe('PASS FAIL PASS PASS')
  })
  test('fails where the policy trusts another log', async () => {
    const other = aKey(ORIGIN, new Uint8Array(32).fill(8))
    const policy = parsePolicy(sha256, `log ${formatVkey(sha256, ORIGIN, other.publicKey)}\nquorum none\n`)
    expect(await resultsOf(whole, { policy })).toBe('PASS FAIL PASS PASS')
  })
  test('passes where the policy asks for nobody, and is unknown without one', async () => {
    expect(await resultsOf(log, { policy: parsePolicy(sha256, 'quorum none\n') })).toBe('PASS PASS PASS PASS')
    expect(await resultsOf(log, { policy: undefined })).toBe('PASS UNKNOWN PASS PASS')
  })
})

describe('check 4 stays unknown', () => {
  const unknown = (says: string) => ({ result: 'UNKNOWN', says: expect.stringContaining(says) })

  test('without anything to compare with', async () => {
    expect(await finding(4, whole, { kept: [] })).toMatchObject(unknown('no checkpoint that was kept'))
  })
  test('for a checkpoint that the key did not sign: anybody may have made it', async () => {
    const note = signed(early, aKey(ORIGIN, new Uint8Array(32).fill(8))).note
    expect(await finding(4, whole, { kept: [{ name: 'told', note }] })).toMatchObject(unknown('told: the signature'))
  })
  test('for a checkpoint that is newer than the log', async () => {
    const note = forge(entriesOf(800)).note
    expect(await finding(4, whole, { kept: [{ name: 'told', note }] })).toMatchObject(unknown('take a newer one'))
  })
  test('where a tile between the two is damaged: that is no contradiction', async () => {
    const forged = with_(whole, 'tile/0/001', flipped(fileOf(whole, 'tile/0/001'), 3))
    expect(await finding(4, forged)).toMatchObject(unknown('tile/0/001'))
    expect(await resultsOf(forged)).toBe('PASS PASS FAIL UNKNOWN')
  })
})

test('a log that does not answer is unknown and no failure', async () => {
  const source = {
    read: async (path: string) => {
      throw new LogUnreadable(path, 'the line is dead')
    },
  }
  const audit = await auditOf(whole, { source })
  expect(audit).toMatchObject({ result: 'UNKNOWN', head: undefined })
  expect(audit.findings[0]?.says).toContain('the line is dead')
})

test('a fault of the program is none of the log', async () => {
  const source = {
    read: async () => {
      throw new TypeError('a fault')
    },
  }
  await expect(auditOf(whole, { source })).rejects.toThrow(TypeError)
})

test('any bit of tile, bundle or checkpoint is found, and its file is named', async () => {
  const paths = [...log.files.keys()]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fc.nat(), async (path, bit) => {
      const audit = await auditOf(with_(log, path, flipped(fileOf(log, path), bit)), { policy: undefined })
      expect(audit.result).toBe('FAIL')
      expect(audit.findings.find(({ result }) => result === 'FAIL')).toMatchObject({
        check: path === 'checkpoint' ? 1 : 3,
        at: path,
      })
    }),
    { numRuns: 150 },
  )
})

describe('a run that goes on', () => {
  const whatIsKept = async (forged: Forged, change: Partial<AuditOptions> = {}): Promise<Prefix[]> => {
    const kept: Prefix[] = []
    await auditOf(forged, { keep: (prefix) => void kept.push(prefix), ...change })
    return kept
  }
  const bundlesIn = (asked: readonly string[]) => asked.filter((path) => parseTilePath(path)?.level === -1)

  test('notes what is verified as it goes, in whole tiles, and at the end', async () => {
    const kept = await whatIsKept(whole, { keepEvery: 256n })
    expect(kept.map(({ size }) => size)).toEqual([256n, 512n, 512n])
    expect(kept[0]?.root).toEqual(forge(ENTRIES.slice(0, 256)).root)
    expect((await whatIsKept(whole)).map(({ size }) => size)).toEqual([512n])
  })
  test('does not read bundles again that were verified, and says so', async () => {
    const known = (await whatIsKept(whole)).at(-1)
    const source = sourceOf(whole)
    const audit = await auditOf(whole, { known, source })
    expect(bundlesIn(source.asked)).toEqual(['tile/entries/002.p/188'])
    expect(audit.findings[2]).toMatchObject({ result: 'PASS', says: expect.stringContaining('the first 512') })
  })
  test('goes on in a log that has grown since', async () => {
    const known = (await whatIsKept(early)).at(-1)
    const source = sourceOf(whole)
    expect(await auditOf(whole, { known, source })).toMatchObject({ result: 'PASS' })
    expect(bundlesIn(source.asked)).toEqual(['tile/entries/001', 'tile/entries/002.p/188'])
  })
  test.for<[what: string, known: Prefix]>([
    ['another root', { size: 512n, root: early.root }],
    ['a size within a tile', { size: 300n, root: early.root }],
    ['a size beyond the log', { size: 1_024n, root: early.root }],
  ])('reads everything where the state has %s', async ([, known]) => {
    const source = sourceOf(whole)
    expect(await auditOf(whole, { known, source })).toMatchObject({ result: 'PASS' })
    expect(bundlesIn(source.asked)).toHaveLength(3)
  })
  test('notes nothing behind a fault', async () => {
    const damaged = with_(whole, 'tile/entries/001', flipped(fileOf(whole, 'tile/entries/001'), 100))
    expect((await whatIsKept(damaged, { keepEvery: 256n })).map(({ size }) => size)).toEqual([256n])
  })
})

test("a checkpoint of 64 KiB of strangers' signatures is read, a longer one is not", async () => {
  const line = (n: number): string => `— stranger${n} ${Buffer.alloc(68, n).toString('base64')}\n`
  const many = (bytes: number): string => {
    let note = log.note
    for (let n = 0; note.length < bytes; n++) note += line(n)
    return note
  }
  expect(await resultsOf(withNote(log, many(60_000)), { policy: undefined })).toBe('PASS UNKNOWN PASS PASS')
  const long = withNote(log, many(66_000))
  expect(utf8(long.note).length).toBeGreaterThan(65_536)
  expect(await finding(1, long)).toMatchObject({ result: 'FAIL', at: 'checkpoint' })
})
