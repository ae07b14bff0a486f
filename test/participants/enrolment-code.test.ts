import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { fromHex } from '../../src/kernel/bytes.ts'
import { codeDigest, enrolmentCode, isForNode } from '../../src/participants/enrolment-code.ts'
import { Enrolment } from '../../src/participants/schema.ts'

const NODE = '0123456789abcdef'.repeat(4)

// RFC 4648 section 10 has no vector of 20 bytes; this one is "foobar" and zeroes, and Python's b32encode of 0x00..0x13.
test.for<[string, string]>([
  ['666f6f626172'.padEnd(40, '0'), 'mzxw6ytboiaaaaaaaaaaaaaaaaaaaaaa'],
  ['000102030405060708090a0b0c0d0e0f10111213', 'aaaqeayeaudaocajbifqydiob4ibceqt'],
  ['ff'.repeat(20), '7'.repeat(32)],
])('%s is %s', ([hex, text]) => {
  const code = enrolmentCode(NODE, fromHex(hex) ?? new Uint8Array())
  expect(code).toBe(`0123456789abcdef.${text}`)
  expect(Compile(Enrolment.properties.code).Check(code)).toBe(true)
})

test('a code names its node and no other', () => {
  const code = enrolmentCode(NODE, new Uint8Array(20))
  expect(isForNode(code, NODE)).toBe(true)
  expect(isForNode(code, `1${NODE.slice(1)}`)).toBe(false)
})

test('the digest is 32 bytes and another for another code', () => {
  const [a, b] = [codeDigest('a'), codeDigest('b')]
  expect(a).toHaveLength(32)
  expect(a.equals(b)).toBe(false)
})
