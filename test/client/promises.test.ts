import { expect, test } from 'vitest'
import { VerificationFailed } from '../../src/client/errors.ts'
import { receiptOfRead } from '../../src/client/promises.ts'

const ID = '018f6b2e-0000-7000-8000-000000000001'
const C = 'A'.repeat(43)

test('the receipt of a read is named after it', () => {
  expect(receiptOfRead(`${ID}.7 ${C}`)).toBe(`read-${ID}-7`)
})

test.each(['', ID, `${ID}.7`, `${ID}.x ${C}`, `../${ID}.7 ${C}`, `${ID}.7 ${C}=`])(
  '%j names no read, and no file',
  (read) => {
    expect(() => receiptOfRead(read)).toThrow(VerificationFailed)
  },
)
