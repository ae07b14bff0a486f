import fc from 'fast-check'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { formReader, parseForm, typedOf } from '../../src/console/form.ts'
import { FORM_FIELDS_MAX } from '../../src/console/schema.ts'
import { Refusal } from '../../src/kernel/errors.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return error instanceof Refusal ? error.code : 'other'
  }
}

describe('a form', () => {
  test('is what a browser sends of it', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), text), (fields) => {
        const parsed = parseForm(bytes(new URLSearchParams(fields).toString()))
        expect({ ...parsed }).toEqual({ ...fields })
      }),
    )
  })
  test('has lists where the name says so', () => {
    expect({ ...parseForm(bytes('id%5B%5D=1&id[]=2')) }).toEqual({ id: ['1', '2'] })
    expect({ ...parseForm(bytes('id[]=1')) }).toEqual({ id: ['1'] })
  })
  test.for([['a=1&a=2'], ['a=%'], ['a=%zz'], ['id=1&id[]=2'], ['a=%ff']])(
    'is refused where no browser sent it: %s',
    ([text]) => {
      expect(codeOf(() => parseForm(bytes(text ?? '')))).toBe('validation-failed')
    },
  )
  test('is refused in bytes that are no text', () => {
    expect(codeOf(() => parseForm(Uint8Array.of(0x61, 0x3d, 0xff)))).toBe('validation-failed')
  })
  test('has no name that changes objects', () => {
    const parsed = parseForm(bytes('__proto__=x&constructor=y'))
    expect(Object.getPrototypeOf(parsed)).toBeNull()
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })
  test('has so many fields at most', () => {
    expect(codeOf(() => parseForm(bytes('a[]=1&'.repeat(FORM_FIELDS_MAX))))).toBe('too-large')
  })
  test('that does not fit names the field and not its value', () => {
    const read = formReader(Type.Object({ name: Type.String({ maxLength: 3 }) }, { additionalProperties: false }))
    expect(read({ name: 'abc' })).toEqual({ name: 'abc' })
    try {
      read({ name: 'secret' })
      expect.unreachable()
    } catch (error) {
      expect((error as Refusal).errors[0]?.pointer).toBe('/name')
      expect(JSON.stringify(error)).not.toContain('secret')
    }
    expect(codeOf(() => read({ name: 'a', more: 'b' }))).toBe('validation-failed')
  })
  test('gives back what was typed', () => {
    expect(typedOf(parseForm(bytes('note=a+b&id[]=1')))).toEqual({ note: 'a b' })
    expect(typedOf(undefined)).toEqual({})
  })
})
