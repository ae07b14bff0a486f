import { describe, expect, test } from 'vitest'
import { lookupKeys } from '../../src/client/derive.ts'
import { rawLineOf } from '../../src/client/raw-line.ts'

/** A line that is not as it has to be, and what its reason names. */
const MALFORMED: readonly (readonly [line: unknown, names: string])[] = [
  [{ type: 'phone', raw: 12_025_550_143 }, '`raw`'],
  [{ type: 'account_id', service: 'orchard', raw: 12_345 }, '`raw`'],
  [{ type: 'account_id', service: 7, raw: '12345' }, '`service`'],
  [{ type: 'phone', raw: '202 555 0143', region: ['US'] }, '`region`'],
  [{ type: 'media_hash', algorithm: 'md5', hash: 7 }, '`hash`'],
  [{ type: 'media_hash', algorithm: null, hash: 'ab' }, '`algorithm`'],
  [{ type: 'url', raw: null }, '`raw`'],
  [{ type: 'url', raw: 'https://a.example/', seal: 'yes' }, '`seal`'],
  [{ type: 'url', raw: 'https://a.example/', category: 1 }, '`category`'],
  [{ type: 'url', raw: 'https://a.example/', confidence: '80' }, '`confidence`'],
  [{ type: 'url', raw: 'https://a.example/', context: [] }, '`context`'],
  [{ type: 'url', hashed: 'x' }, '`hashed`'],
  [{ type: 'keyword_pattern', pattern: null }, '`pattern`'],
  [{ type: ['url'], raw: 'https://a.example/' }, 'type'],
  [{ type: 'toString', raw: 'https://a.example/' }, 'type'],
  [{ raw: 'https://a.example/' }, 'type'],
  [['url'], 'object'],
  [7, 'object'],
  [null, 'object'],
]

describe('what JSON gave as a raw line', () => {
  test.each(MALFORMED)('is refused by the name of its member where it has another form: %j', (line, names) => {
    const read = rawLineOf(line)
    expect(read).toEqual({ outcome: 'refused', reason: expect.stringContaining(names) })
    expect(JSON.stringify(read)).not.toMatch(/12_?345|2025550143|a\.example/)
  })
  test('is taken as it stands where it has its form', () => {
    const line = { type: 'phone', raw: '+12025550143', confidence: 1, other: null }
    expect(rawLineOf(line)).toEqual({ outcome: 'raw', raw: line })
  })
})

test.each([
  ['md5', 'zz'.repeat(32)],
  ['pdq', ''],
  ['crc32', 'ab'],
])('a media hash that is none is not asked for: %s', (algorithm, hash) => {
  const epoch = { kid: 'spring', key: new Uint8Array(32) }
  expect(lookupKeys({ type: 'media_hash', algorithm, hash }, epoch)).toMatchObject({ outcome: 'refused' })
})
