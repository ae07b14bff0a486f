import fc from 'fast-check'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { isUuid, SLUG } from '../../src/kernel/ids.ts'
import { BigIntSchema, firstFault, InstantSchema, SlugSchema, UuidSchema } from '../../src/kernel/schema.ts'

const [uuid, slug, instant, bigint] = [UuidSchema, SlugSchema, InstantSchema, BigIntSchema].map((one) => Compile(one))

test('the schemas of ids take what the rules of ids take', () => {
  const text = fc.oneof(
    fc.uuid(),
    fc.uuid().map((one) => one.toUpperCase()),
    fc.string({ unit: fc.constantFrom(...'a0-_A\n') }),
  )
  fc.assert(
    fc.property(text, (one) => {
      expect(uuid?.Check(one)).toBe(isUuid(one))
      expect(slug?.Check(one)).toBe(SLUG.test(one))
    }),
    { numRuns: 500 },
  )
})

describe('an instant', () => {
  const two = (n: number): string => String(n).padStart(2, '0')
  const upTo = (max: number) => fc.integer({ min: 0, max })

  test('is one that every reader takes for the same moment', () => {
    fc.assert(
      fc.property(upTo(99), upTo(13), upTo(32), upTo(24), upTo(60), upTo(60), (y, mo, d, h, mi, s) => {
        const text = `20${two(y)}-${two(mo)}-${two(d)}T${two(h)}:${two(mi)}:${two(s)}Z`
        const date = new Date(text)
        const real = !Number.isNaN(date.getTime()) && date.toISOString() === text.replace('Z', '.000Z')
        expect(instant?.Check(text), text).toBe(real)
      }),
      { numRuns: 3_000 },
    )
  })

  test.for<[string, boolean]>([
    ['2024-02-29T00:00:00Z', true],
    ['2000-02-29T00:00:00Z', true],
    ['2025-02-29T00:00:00Z', false],
    ['2026-02-30T00:00:00Z', false],
    ['2026-04-31T00:00:00Z', false],
    ['2026-01-00T00:00:00Z', false],
    ['2026-12-31T23:59:59Z', true],
    ['2026-12-31T23:59:60Z', false],
    ['2026-12-31T23:59:59.000Z', false],
    ['2026-12-31T23:59:59+00:00', false],
    ['2026-12-31 23:59:59Z', false],
    ['2026-12-31T23:59:59Z\n', false],
    ['1999-12-31T23:59:59Z', false],
  ])('%j: %j', ([text, good]) => {
    expect(instant?.Check(text)).toBe(good)
  })
})

test('a 64-bit number is decimal, canonical, and never beyond what PostgreSQL holds', () => {
  for (const text of ['0', '1', '10', '999999999999999999']) expect(bigint?.Check(text), text).toBe(true)
  for (const text of ['', '00', '01', '-1', '+1', '1.0', '1e3', ' 1', '1\n', '٣', '9223372036854775808'])
    expect(bigint?.Check(text), text).toBe(false)
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 70n), (n) => {
      if (bigint?.Check(String(n)) === true) expect(n < 2n ** 63n).toBe(true)
    }),
  )
})

describe('the first fault of a value', () => {
  const validator = Compile(
    Type.Object(
      {
        fruit: Type.String({ maxLength: 4 }),
        tree: Type.Optional(Type.Object({ age: Type.Integer() }, { additionalProperties: false })),
      },
      { additionalProperties: false },
    ),
  )

  test.for<[string, unknown, string, string]>([
    ['a missing member', {}, '/fruit', 'missing'],
    ['a missing member below', { fruit: 'pear', tree: {} }, '/tree/age', 'missing'],
    ['an unknown member', { fruit: 'pear', bird: 1 }, '/bird', 'unknown member'],
    ['an unknown member below', { fruit: 'pear', tree: { age: 1, bird: 1 } }, '/tree/bird', 'unknown member'],
    ['an unknown member that is no name', { fruit: 'pear', 'canary@example.org': 1 }, '/?', 'unknown member'],
    ['an unknown member with a slash', { fruit: 'pear', 'a/b': 1 }, '/?', 'unknown member'],
    ['another type', { fruit: 1 }, '/fruit', 'type'],
    ['too long a text', { fruit: 'quince' }, '/fruit', 'maxLength'],
    ['no object', 'pear', '', 'type'],
  ])('is %s', ([, value, pointer, detail]) => {
    expect(firstFault(validator, value)).toEqual({ pointer, detail })
  })

  test('never quotes what was sent', () => {
    const canary = 'canary@example.org'
    const value = fc.record(
      {
        fruit: fc.constantFrom<unknown>(canary, 1),
        [canary]: fc.constant(canary),
        tree: fc.constantFrom<unknown>(canary, { age: canary }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(value, (one) => {
        expect(JSON.stringify(firstFault(validator, one))).not.toContain('canary')
      }),
    )
  })

  test('of a value without one is malformed', () => {
    expect(firstFault(validator, { fruit: 'pear' })).toEqual({ pointer: '', detail: 'malformed' })
  })
})
