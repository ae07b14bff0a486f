import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { newId, uuidBytes } from '../../src/kernel/ids.ts'
import { randomTextSource } from '../../src/kernel/random.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { commitment, digestOf } from '../../src/provenance/commitment.ts'
import { decoySource } from '../../src/provenance/decoys.ts'
import {
  commitRead,
  disclosedBy,
  type KeptItems,
  type KeptRead,
  keptUnlessLost,
  partsIn,
  valueIn,
} from '../../src/provenance/kept-read.ts'
import { epochKey, epochOf } from '../../src/provenance/record.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
const keys = fileKeys(folder)
const salt = randomTextSource(32)
const making = { salt, take: decoySource(salt) }
beforeAll(() => keys.create('epoch-202603', 'symmetric'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Values as reads have them: texts of any characters, counts, and objects of them. */
const aValue = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.nat(),
  fc.record({ party: fc.string({ unit: 'grapheme' }), n: fc.nat(), root: fc.base64String() }),
)
const aField = fc.record({ audience: fc.constantFrom('A', 'S:plum', 'S:fig'), name: fc.string(), value: aValue })
const aRead = fc.record({ disclosures: fc.array(aField, { maxLength: 12 }), decoys: fc.nat(7) })
const items: KeptItems = [['plum', [newId(NOON), 1], [newId(NOON), 2]]]

/** A journal row's body. */
const row = (text: string) => {
  const journal_id = newId(NOON)
  const epoch = epochOf(NOON)
  return { journal_id, epoch, body: Buffer.from(keys.seal(epochKey(epoch), Buffer.from(text), uuidBytes(journal_id))) }
}

test('a kept read is the payload that was committed, and opens it, field by field and decoy by decoy', () => {
  fc.assert(
    fc.property(aRead, (fields) => {
      const { c, kept } = commitRead(fields, items, making)
      const [read, ...more] = keptUnlessLost(keys, row(`[${kept}]`)) ?? expect.fail('no key')
      expect(more).toEqual([])
      const { payload, opened } = disclosedBy(read ?? expect.fail('nothing kept'))
      expect(toBase64Url(commitment(sha256, payload))).toBe(toBase64Url(c))
      const { _sd } = JSON.parse(payload) as { _sd: string[] }
      expect(opened.map(([, text]) => digestOf(sha256, text ?? '')).toSorted()).toEqual(_sd)
      const told = opened.map(([audience, text]) => [audience, ...JSON.parse(decoded(text ?? '')).slice(1)])
      const said = fields.disclosures.map(({ audience, name, value }) => [audience, name, value])
      expect(told).toEqual([...said, ...Array.from({ length: fields.decoys }, () => ['decoy', 'decoy'])])
      expect(read?.items).toEqual(items)
    }),
  )
})

test('a read that a release before kept, with its payload and disclosures as they are handed over, says the same', () => {
  fc.assert(
    fc.property(fc.array(aRead, { minLength: 1, maxLength: 3 }), (reads) => {
      const now = reads.map((fields) => commitRead(fields, items, making).kept)
      const former = now.map((kept) => ({ ...disclosedBy(JSON.parse(kept) as KeptRead), items }))
      const opened = keptUnlessLost(keys, row(JSON.stringify(former))) ?? expect.fail('no key')
      expect(opened).toEqual(keptUnlessLost(keys, row(`[${now.join()}]`)))
      expect(opened.map((read) => disclosedBy(read))).toEqual(
        former.map(({ payload, opened: own }) => ({ payload, opened: own })),
      )
      expect(partsIn(opened).map((own) => own.length)).toEqual(
        reads.map(({ disclosures }) => disclosures.filter(({ audience }) => audience !== 'A').length),
      )
    }),
  )
})

test('what a read says is told by name, also of one whose fields an earlier node committed each by itself', () => {
  const said = { route: '/v1/lookups', n: 2, as_of: { log: '7' } }
  const own = (value: unknown, name: string) => ({ audience: 'A', name, value })
  const apart = Object.entries(said).map(([name, value]) => own(value, name))
  for (const disclosures of [[own(said, 'read')], apart]) {
    const { kept } = commitRead({ disclosures, decoys: 0 }, items, making)
    const read = JSON.parse(kept) as KeptRead
    for (const [name, value] of Object.entries(said)) expect(valueIn(read, name)).toEqual(value)
    expect(valueIn(read, 'purpose')).toBeUndefined()
  }
})

test('a row under the name of another is not opened', () => {
  const { kept } = commitRead({ disclosures: [], decoys: 8 }, items, making)
  const one = row(`[${kept}]`)
  expect(keptUnlessLost(keys, { ...one, journal_id: newId(NOON) })).toBeUndefined()
})

const decoded = (text: string): string => Buffer.from(text, 'base64url').toString()
