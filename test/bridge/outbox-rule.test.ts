import { expect, test } from 'vitest'
import { verdictOn } from '../../src/bridge/outbox-rule.ts'
import { AldisError, VerificationFailed } from '../../src/client/errors.ts'

const atNode = (code: string, status: number) =>
  new AldisError({ code, title: code, status, detail: 'a value', errors: [{ pointer: '/a', code: 'not-found' }] })

test.each([
  ['the node is not reached', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'node-needed'],
  ['the connection breaks', Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'node-needed'],
  ['the node cannot write', atNode('log-behind', 503), 'log-behind'],
  ['there were too many requests', atNode('rate-limited', 429), 'rate-limited'],
  ['the participant is suspended', atNode('participant-suspended', 403), 'participant-suspended'],
  ['its key was revoked', atNode('credential-not-enrolled', 403), 'credential-not-enrolled'],
])('what is sent waits where %s', (_what, error, code) => {
  expect(verdictOn(error)).toEqual({ verdict: 'again', code })
})

test.each([
  ['its content is refused', atNode('validation-failed', 422), 'validation-failed'],
  ['it is too old', atNode('submission-stale', 422), 'submission-stale'],
  ['a scope is missing', atNode('scope-missing', 403), 'scope-missing'],
  ['the node broke its promise', new VerificationFailed('countersignature', 'a value'), 'answer-unverified'],
])('it is kept as refused, and the next is sent, where %s', (_what, error, code) => {
  const verdict = verdictOn(error)
  expect(verdict).toMatchObject({ verdict: 'refused', problem: { code } })
  expect(JSON.stringify(verdict)).not.toContain('a value')
})

test('a fault of this machine is neither', () => {
  expect(verdictOn(Object.assign(new Error('x'), { code: 'ENOSPC' }))).toBeUndefined()
  expect(verdictOn(new TypeError('x'))).toBeUndefined()
})
