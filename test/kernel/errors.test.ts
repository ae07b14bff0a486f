import { expect, test } from 'vitest'
import { CATALOGUE, Refusal, StartRefused } from '../../src/kernel/errors.ts'

test.for(Object.entries(CATALOGUE))(
  'the code %s ends a URI and has the status of an error',
  ([code, [status, title]]) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(Number.isInteger(status) && status >= 400 && status <= 599).toBe(true)
    expect(title).not.toBe('')
  },
)

test('a refusal has the status of its code, and nothing that was not given', () => {
  const refusal = new Refusal('busy')
  expect(refusal).toBeInstanceOf(Error)
  expect(refusal).toMatchObject({ name: 'Refusal', code: 'busy', status: 503, errors: [], extra: {} })
  expect([refusal.detail, refusal.retryAfter, refusal.cause]).toEqual([undefined, undefined, undefined])
  expect(refusal.message).toContain(CATALOGUE.busy[1])
})

test('a refusal carries what is said beside the code', () => {
  const cause = new Error('pear')
  const errors = [{ pointer: '/upto', code: 'validation-failed' as const }]
  const refusal = new Refusal('page-limit', {
    detail: 'ask for less',
    errors,
    extra: { limit: 7 },
    retryAfter: 2,
    cause,
  })
  expect(refusal).toMatchObject({
    status: 422,
    detail: 'ask for less',
    errors,
    extra: { limit: 7 },
    retryAfter: 2,
    cause,
  })
  expect(refusal.message).toBe('page-limit: ask for less')
})

test('the cause does not get into the message', () => {
  expect(new Refusal('internal', { cause: new Error('canary') }).message).not.toContain('canary')
})

test('a start that must not happen is known by its name', () => {
  const refused = new StartRefused('PARTNER_PORT: expected a port')
  expect(refused).toBeInstanceOf(Error)
  expect([refused.name, refused.message]).toEqual(['StartRefused', 'PARTNER_PORT: expected a port'])
})
