import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { hmac } from '../../src/kernel/hmac.ts'
import { sha256 } from '../../src/kernel/sha256.ts'

test("HMAC is the platform's, for keys shorter and longer than a block", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 150 }), fc.uint8Array({ maxLength: 200 }), (key, data) => {
      expect(toHex(hmac(sha256, key, data))).toBe(createHmac('sha256', key).update(data).digest('hex'))
    }),
  )
})
