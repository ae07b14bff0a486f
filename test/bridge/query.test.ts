import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { askedOf, keysUnder } from '../../src/bridge/query.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { sha } from '../signals/factory.ts'

const refusal = (query: unknown): Refusal | undefined => {
  try {
    askedOf(query)
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

describe('a query', () => {
  test.each([
    ['a text', { type: 'text', value: 'blue kite' }, 'text'],
    ['a link', { type: 'url', value: 'https://bad.example/a' }, 'ready'],
    ['a host', { type: 'domain', value: 'bad.example' }, 'ready'],
    ['the hash of a file', { type: 'media_hash', algorithm: 'pdq', hash: '6b'.repeat(32) }, 'ready'],
    ['a token', { type: 'email', profile: 'email/1', kid: 'spring', token: sha('plum') }, 'ready'],
    ['a raw identifier', { type: 'email', value: 'plum@mail.example' }, 'identifier'],
    ['one with its service', { type: 'username', value: '@Plum', service: 'birdsong' }, 'identifier'],
    ['a number in national form', { type: 'phone', value: '020 7946 0018', region: 'GB' }, 'identifier'],
  ])('is %s', (_what, query, kind) => {
    expect(askedOf(query).kind).toBe(kind)
  })

  test.each([
    ['without its value', { type: 'email' }, ''],
    ['with a member that says nothing of its type', { type: 'url', value: 'https://bad.example', service: 'x' }, ''],
    ['with both a value and a token', { type: 'email', value: 'plum@mail.example', token: sha('plum') }, ''],
    ['with half a token', { type: 'email', token: sha('plum') }, ''],
    ['with a token that is none', { type: 'email', profile: 'email/1', kid: 'spring', token: 'AB' }, '/token'],
    ['of an unknown type', { type: 'tactic', value: 'x' }, '/type'],
    ['with an unknown member', { type: 'text', value: 'x', raw: 'y' }, '/raw'],
    ['that is ambiguous', { type: 'phone', value: '7946 0018' }, '/value'],
    ['that is no object', 'plum@mail.example', ''],
  ])('%s is refused, by the member', (_what, query, pointer) => {
    expect(refusal(query)?.code).toBe('validation-failed')
    expect(refusal(query)?.errors[0]?.pointer).toBe(pointer)
  })

  test('whatever it is, never repeats a value in its refusal', () => {
    const type = fc.constantFrom('email', 'phone', 'username', 'ip', 'payment_handle', 'account_id', 'url')
    fc.assert(
      fc.property(type, fc.string(), fc.constantFrom('value', 'token', 'profile', 'other'), (of, text, member) => {
        const found = refusal({ type: of, [member]: `canary${text}` })
        if (found !== undefined) expect(`${found.message}${JSON.stringify(found.errors)}`).not.toContain('canary')
      }),
    )
  })
})

test('an identifier has a key under each epoch, and links none of any', () => {
  const epochs = ['spring', 'autumn'].map((kid, i) => ({ kid, key: new Uint8Array(32).fill(i) }))
  const keys = keysUnder({ type: 'email', raw: 'Plum@mail.example' }, epochs)
  expect(keys.map(({ profile }) => profile)).toEqual(['email/1@spring', 'email/1@autumn'])
  expect(new Set(keys.map(({ key }) => key)).size).toBe(2)
})
