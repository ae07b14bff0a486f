import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import type { Uuid } from '../../src/kernel/ids.ts'
import { isNonce, makeNonce, NONCE_MS } from '../../src/participants/nonce.ts'
import { SigningKeyRegistration } from '../../src/participants/schema.ts'

const key = new Uint8Array(32).fill(1)
const participant = '018f6b2e-0000-7000-8000-000000000001' as Uuid
const now = new Date('2026-03-01T12:00:00Z')
const nonce = makeNonce(key, { participant, now, random: new Uint8Array(16).fill(2) })

test('is of the form that registrations carry', () => {
  expect(Compile(SigningKeyRegistration.properties.nonce).Check(nonce)).toBe(true)
})

test('holds for five minutes, for its participant, under its key', () => {
  const later = (ms: number) => new Date(now.getTime() + ms)
  expect(isNonce(key, nonce, { participant, now })).toBe(true)
  expect(isNonce(key, nonce, { participant, now: later(NONCE_MS - 1) })).toBe(true)
  expect(isNonce(key, nonce, { participant, now: later(NONCE_MS) })).toBe(false)
  expect(isNonce(key, nonce, { participant: participant.replace('1', '2') as Uuid, now })).toBe(false)
  expect(isNonce(new Uint8Array(32), nonce, { participant, now })).toBe(false)
})

test('no character of it may change', () => {
  for (let at = 0; at < nonce.length; at += 1) {
    const other = `${nonce.slice(0, at)}${nonce[at] === 'A' ? 'B' : 'A'}${nonce.slice(at + 1)}`
    expect(isNonce(key, other, { participant, now }), String(at)).toBe(false)
  }
})
