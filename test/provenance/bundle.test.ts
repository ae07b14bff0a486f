import { expect, test } from 'vitest'
import { BUNDLE, BUNDLE_BYTES, BUNDLE_ENTRIES, formatBundle, parseBundle } from '../../src/provenance/bundle.ts'

const head = {
  bundle: BUNDLE,
  origin: 'node.example.org/provenance/1',
  vkey: 'k',
  made_at: 't',
  filter: '',
  entries: 2,
} as const
const entries = [
  { index: '4', event: 'a', receipt: 'c2sp.org/tlog-proof@v1\n' },
  { index: '3', event: 'b', receipt: null },
]

test('a bundle is read as it was written', () => {
  expect(parseBundle(formatBundle(head, entries))).toEqual({ head, entries })
})

test.for([
  ['nothing', ''],
  ['a receipt', 'c2sp.org/tlog-proof@v1\nextra e30=\n'],
  ['another version', formatBundle({ ...head, bundle: 'aldis-proofs/2' as never }, entries)],
  ['a line too few', formatBundle(head, entries.slice(1))],
  ['a line that is no entry', `${formatBundle({ ...head, entries: 1 }, [])}{"index":4}\n`],
] as const)('%s is no bundle', ([, text]) => expect(parseBundle(text)).toBeUndefined())

test('more than may be looked at is told by its number', () => {
  const many = Array.from({ length: BUNDLE_ENTRIES + 1 }, () => ({ index: '1', event: 'a', receipt: null }))
  expect(() => parseBundle(formatBundle({ ...head, entries: many.length }, many))).toThrow('1,000 entries')
  expect(() => parseBundle('x'.repeat(BUNDLE_BYTES + 1))).toThrow('16 MiB')
})
