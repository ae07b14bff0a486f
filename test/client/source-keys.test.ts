import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newSourceKeys } from '../../src/client/source-keys.ts'
import { aSource } from './source.ts'

test('a key that the node lists anew for a known source is told until it is kept, and one of a new source is not', () => {
  const dir = mkdtempSync(join(tmpdir(), 'aldis-keys-'))
  const [apple, next, cherry] = [aSource('apple'), aSource('apple'), aSource('cherry')]
  const both = { ...apple.info, signing_keys: [...apple.info.signing_keys, ...next.info.signing_keys] }
  const told = (...sources: Parameters<typeof newSourceKeys>[1]) => newSourceKeys(dir, sources)
  expect(told(apple.info).found).toEqual([])
  told(apple.info).keep()
  const since = '2026-01-01T00:00:00.000Z'
  expect(told(both, cherry.info).found).toEqual([{ source: 'apple', kid: next.key.kid, since }])
  told(both, cherry.info).keep()
  told(next.info).keep()
  expect(told(both, cherry.info).found).toEqual([])
  rmSync(dir, { recursive: true })
})
