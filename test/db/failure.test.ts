import { expect, test } from 'vitest'
import { asRefusal, isConnectionLost, isRepeatable, isUnknownAtCommit, sqlState } from '../../src/db/failure.ts'
import { Refusal } from '../../src/kernel/errors.ts'

const postgres = (code: string) => Object.assign(new Error('from the server'), { code, severity: 'ERROR' })
const socket = (code: string) => Object.assign(new Error('from the socket'), { code })

test.for(['08006', '57P01', '57P02', 'XX000', '58030', '53100'])('%s at COMMIT leaves the outcome unknown', (code) => {
  expect(isUnknownAtCommit(postgres(code))).toBe(true)
})

test('a lost socket at COMMIT leaves the outcome unknown', () => {
  expect(isUnknownAtCommit(socket('ECONNRESET'))).toBe(true)
  expect(isUnknownAtCommit(new Error('Connection terminated unexpectedly'))).toBe(true)
})

test.for(['23505', '23514', '40001', '40P01', '25P02'])('%s at COMMIT is a rollback for certain', (code) => {
  expect(isUnknownAtCommit(postgres(code))).toBe(false)
})

test.for([
  ['40001', true],
  ['40P01', true],
  ['55P03', true],
  ['57P01', false],
  ['23505', false],
] as const)('%s may be repeated before COMMIT: %s', ([code, may]) => {
  expect(isRepeatable(postgres(code))).toBe(may)
})

test.for([
  ['25006', 'read-only'],
  ['53100', 'read-only'],
  ['57014', 'busy'],
  ['53300', 'busy'],
  ['57P03', 'busy'],
  ['40001', 'busy'],
] as const)('%s is told as %s', ([code, told]) => {
  expect(asRefusal(postgres(code))).toMatchObject({ code: told, status: 503 })
})

test('what the database did not do, and what it refused, stays as it is', () => {
  const own = [new TypeError('a bug'), postgres('23505'), new Refusal('not-found'), 'text', undefined]
  expect(own.map(asRefusal)).toEqual(own)
})

test('a code is an SQLSTATE only if the server sent it', () => {
  expect(sqlState(postgres('23505'))).toBe('23505')
  expect(sqlState(socket('EPIPE'))).toBeUndefined()
  expect(isConnectionLost(socket('EPIPE'))).toBe(true)
  expect(isConnectionLost(new TypeError('a bug'))).toBe(false)
})
