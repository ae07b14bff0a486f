import { expect, test } from 'vitest'
import { AldisError, VerificationFailed } from '../../src/client/errors.ts'

test('a refusal carries the code to branch on and everything the node said with it', () => {
  const errors = [{ pointer: '/items/0', code: 'item-limit' as const }]
  const problem = {
    code: 'too-large',
    title: 'The body is too large',
    status: 413,
    detail: 'send less',
    errors,
    request_id: 'r',
  }
  const error = new AldisError(problem, 7)
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'AldisError', code: 'too-large', status: 413, detail: 'send less', errors })
  expect([error.requestId, error.retryAfter, error.message]).toEqual(['r', 7, 'too-large: send less'])
})

test('a refusal without details has its title, and nothing that was not said', () => {
  const error = new AldisError({ code: 'busy', title: 'The node is overloaded', status: 503 })
  expect(error.message).toBe('busy: The node is overloaded')
  expect([error.detail, error.errors, error.requestId, error.retryAfter]).toEqual([undefined, [], undefined, undefined])
})

test('what does not verify names the step that failed', () => {
  const error = new VerificationFailed('checkpoint', 'the note is not canonical')
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(AldisError)
  expect(error).toMatchObject({ name: 'VerificationFailed', step: 'checkpoint' })
  expect(error.message).toBe('checkpoint: the note is not canonical')
})
