import { expect, test } from 'vitest'
import { randomSource, randomTextSource } from '../../src/kernel/random.ts'

test('no draw comes twice, nor changes once it was given', () => {
  const next = randomSource(12)
  const drawn = Array.from({ length: 3_000 }, next)
  const seen = drawn.map((own) => own.toString('hex'))
  expect(drawn.every(({ length }) => length === 12)).toBe(true)
  expect(new Set(seen).size).toBe(seen.length)
  next()
  expect(drawn.map((own) => own.toString('hex'))).toEqual(seen)
})

test.each([12, 16, 32, 33])('a draw of %i bytes as base64url is canonical, and comes once', (size) => {
  const next = randomTextSource(size)
  const drawn = Array.from({ length: 3_000 }, next)
  for (const text of drawn) expect(Buffer.from(text, 'base64url').toString('base64url')).toBe(text)
  expect(new Set(drawn.map((text) => Buffer.from(text, 'base64url').length))).toEqual(new Set([size]))
  expect(new Set(drawn).size).toBe(drawn.length)
  // Each bit of a draw is drawn: among so many it is set in some and not in others.
  const bytes = drawn.map((text) => Buffer.from(text, 'base64url'))
  for (let at = 0; at < size; at++) {
    expect(bytes.reduce((all, own) => all | (own[at] ?? 0), 0)).toBe(0xff)
    expect(bytes.reduce((all, own) => all & (own[at] ?? 0), 0xff)).toBe(0)
  }
})
