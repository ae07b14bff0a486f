import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createFlowCookies, FLOW_MS, flowCookieName } from '../../src/console/flow-cookie.ts'

const NOW = new Date('2026-11-26T12:00:00Z')
const kept = {
  flow: { provider: 'demo', state: 's', nonce: 'n', verifier: 'v', stepUp: true },
  to: '/requests' as const,
}

describe('what a browser keeps of a sign-in under way', () => {
  const cookies = createFlowCookies(randomBytes(32), randomBytes)

  test('is read again by who sealed it, for ten minutes', () => {
    const value = cookies.seal(kept, NOW)
    expect(cookies.open(value, new Date(NOW.getTime() + FLOW_MS))).toEqual(kept)
    expect(cookies.open(value, new Date(NOW.getTime() + FLOW_MS + 1))).toBeUndefined()
  })
  test('says nothing to whoever has it', () => {
    expect(Buffer.from(cookies.seal(kept, NOW), 'base64url').toString('latin1')).not.toContain('requests')
  })
  test('is nothing once a byte of it is another, or the key', () => {
    const value = cookies.seal(kept, NOW)
    const bytes = Buffer.from(value, 'base64url')
    for (let i = 0; i < bytes.length; i++) {
      const other = Buffer.from(bytes)
      other[i] = (other[i] ?? 0) ^ 1
      expect(cookies.open(other.toString('base64url'), NOW)).toBeUndefined()
    }
    expect(createFlowCookies(randomBytes(32), randomBytes).open(value, NOW)).toBeUndefined()
    expect(cookies.open('', NOW)).toBeUndefined()
  })
  test('has a name of its own for each, which a cookie may have', () => {
    expect(flowCookieName('ab-c_d;=, ')).toBe('__Host-flow-abcd')
    expect(flowCookieName('x'.repeat(99))).toBe(`__Host-flow-${'x'.repeat(12)}`)
  })
})
