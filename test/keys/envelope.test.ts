import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Envelope, openEnvelope, rewrapKey, sealEnvelope } from '../../src/keys/envelope.ts'
import { fileKeys } from '../../src/keys/file.ts'

const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))
const keys = fileKeys(folder)
const PLACE = { table: 'fruit', row: 'plum', audience: 'pond' }
beforeAll(async () => {
  for (const kid of ['value-1', 'value-2']) await keys.create(kid, 'symmetric')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sealed = (text: string): Envelope => sealEnvelope(keys, 'value-1', { plaintext: Buffer.from(text), place: PLACE })
const opened = (envelope: Envelope, place = PLACE): string => openEnvelope(keys, envelope, place).toString()

test('whatever is sealed is opened the same, and under a key and a nonce of its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 9_000 }), (text) => {
      const [one, other] = [sealed(text), sealed(text)]
      expect([opened(one), opened(other)]).toEqual([text, text])
      expect(one.nonce.equals(other.nonce) || one.wrapped_dek.equals(other.wrapped_dek)).toBe(false)
    }),
    { numRuns: 50 },
  )
})
test('under another key of the node it is opened as before, and by the former no more', () => {
  const envelope = sealed('https://bad.example/a')
  const moved = { ...envelope, kek_id: 'value-2', wrapped_dek: rewrapKey(keys, { ...envelope, to: 'value-2' }, PLACE) }
  expect(opened(moved)).toBe('https://bad.example/a')
  expect(() => opened({ ...moved, kek_id: 'value-1' })).toThrow()
})
describe('it opens nowhere else', () => {
  test.for(['table', 'row', 'audience'] as const)('than at its own %s', (what) => {
    expect(() => opened(sealed('fig'), { ...PLACE, [what]: 'another' })).toThrow()
  })
  test('nor with the data key of another row', () => {
    const other = sealEnvelope(keys, 'value-1', { plaintext: Buffer.from('kiwi'), place: { ...PLACE, row: 'kiwi' } })
    expect(() => opened({ ...sealed('fig'), wrapped_dek: other.wrapped_dek })).toThrow()
  })
  test.for(['wrapped_dek', 'nonce', 'ciphertext', 'tag'] as const)('nor with another byte of its %s', (part) => {
    const envelope = sealed('https://bad.example/a')
    const bytes = Buffer.from(envelope[part])
    bytes[0] = (bytes[0] ?? 0) ^ 1
    expect(() => opened({ ...envelope, [part]: bytes })).toThrow()
  })
})
