import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type NormaliseInput, normalise } from '../../src/identifiers/normalise.ts'

/** One line of a published table: a raw identifier, and its canonical form or why it has none. */
export interface Vector {
  name: string
  raw: string
  options?: { service?: string; region?: string }
  canonical?: string
  refused?: string
}

export function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../vectors', `${name}.json`), 'utf8')) as T
}

/** Each line is a test, and what has a canonical form is the canonical form of itself. */
export function holdsVectors(type: string, profile: string, vectors: readonly Vector[], second = false): void {
  test('the table is not empty', () => expect(vectors.length).toBeGreaterThan(3))
  for (const { name, raw, options, canonical, refused } of vectors) {
    const input: NormaliseInput = { type, raw, second, ...options }
    test(refused === undefined ? `${name}: has its canonical form` : `${name}: refused`, () => {
      const normal = normalise(input)
      if (canonical === undefined) return expect(normal).toEqual({ outcome: 'refused', reason: refused })
      expect(normal).toMatchObject({ outcome: 'ok', canonical })
      expect(normal.outcome === 'ok' && normal.profile.startsWith(profile)).toBe(true)
      expect(normalise({ ...input, raw: canonical })).toMatchObject({ outcome: 'ok', canonical })
    })
  }
}

/** The canonical form of whatever has one, or undefined. */
export function canonicalOf(input: NormaliseInput): string | undefined {
  const normal = normalise(input)
  return normal.outcome === 'ok' ? normal.canonical : undefined
}
