import { describe, expect, test } from 'vitest'
import { token, tokenInput } from '../../src/identifiers/token.ts'
import { fromHex, toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { readVectors } from './vectors.ts'

interface TokenVector {
  profile: string
  canonical: string
  key: string
  input: string
  token: string
}

const { vectors } = readVectors<{ vectors: TokenVector[] }>('token')

describe('the hmac hash profile', () => {
  test.each(vectors)('$profile: has its keyed input and its token', (vector) => {
    const { profile, canonical } = vector
    const key = fromHex(vector.key) ?? new Uint8Array()
    expect(toHex(tokenInput(profile, canonical))).toBe(vector.input)
    expect(toHex(token({ hash: sha256, key, profile, canonical }))).toBe(vector.token)
  })

  test('one name under two profiles has two tokens', () => {
    expect(new Set(vectors.map((vector) => vector.token)).size).toBe(vectors.length)
  })
})

test('a keyed input of 1,024 bytes is taken, one more is not', () => {
  const room = 1024 - 'aldis-id/1'.length - 2 - 'ip/1'.length
  expect(tokenInput('ip/1', 'a'.repeat(room)).length).toBe(1024)
  expect(() => tokenInput('ip/1', 'a'.repeat(room + 1))).toThrow(RangeError)
})

test('a profile with a NUL is refused: two pairs would share an input', () => {
  expect(() => tokenInput('ip/1\0a', 'b')).toThrow(RangeError)
})
