import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { admit, loopbackPlace } from '../../src/bridge/guard.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message
  }
}

describe('the bridge listens', () => {
  test.each(['127.0.0.1:8480', '127.1.2.3:0', '[::1]:8480', '[0:0:0:0:0:0:0:1]:1'])('at %s', (text) => {
    expect(loopbackPlace(text).port).toBe(Number(text.slice(text.lastIndexOf(':') + 1)))
  })

  test.each([
    ...['0.0.0.0:8480', '10.0.0.1:8480', '192.168.1.1:80', '[::]:8480', '[fe80::1]:8480', '[2001:db8::1]:8480'],
    ...['126.255.255.255:1', '128.0.0.1:1', '[::ffff:127.0.0.1]:1', '[::10]:1', '[::11]:1'],
  ])('never at %s, which other machines may reach', (text) => {
    expect(codeOf(() => loopbackPlace(text))).toMatch(/not-loopback|expected/)
  })

  test.each([
    'localhost:8480',
    'node.example.org:443',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:70000',
    '127.0.0.1:-1',
    '',
  ])('never at %s, which is no address', (text) => {
    expect(codeOf(() => loopbackPlace(text))).toMatch(/^--listen: expected/)
  })
})

describe('a request is let in', () => {
  const guard = {
    place: { host: '127.0.0.1', port: 8480 },
    hasSecret: (text: string | undefined) => text === 'Bearer pear',
  }
  const good = { host: '127.0.0.1:8480', authorization: 'Bearer pear' }

  test('with the secret, under a name of this machine', () => {
    expect(codeOf(() => admit(good, guard, false))).toBeUndefined()
    expect(codeOf(() => admit({ ...good, host: 'LocalHost:8480' }, guard, false))).toBeUndefined()
    const six = { ...guard, place: { host: '::1', port: 80 } }
    for (const host of ['[::1]', '[::1]:80', 'localhost'])
      expect(codeOf(() => admit({ ...good, host }, six, false))).toBeUndefined()
  })

  test.each([undefined, '', 'Bearer plum', 'pear', 'Basic pear'])(
    'never with %s in the place of the secret',
    (authorization) => {
      const headers = authorization === undefined ? { host: good.host } : { ...good, authorization }
      expect(codeOf(() => admit(headers, guard, false))).toBe('bridge-secret')
      expect(codeOf(() => admit(headers, guard, true))).toBeUndefined()
    },
  )

  test.each(['origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode', 'access-control-request-method'])(
    'never with %s: a page asks, whatever it knows',
    (name) => {
      for (const probe of [true, false])
        expect(codeOf(() => admit({ ...good, [name]: 'null' }, guard, probe))).toBe('bridge-foreign')
    },
  )

  test('never under another name, which a page can have pointed here (DNS rebinding)', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.string()), fc.constantFrom('', ':8480', ':80'), (name, port) => {
        const host = `${name}${port}`
        fc.pre(!['127.0.0.1:8480', 'localhost:8480'].includes(host.toLowerCase()))
        expect(codeOf(() => admit({ ...good, host }, guard, true))).toBe('bridge-foreign')
      }),
    )
    expect(codeOf(() => admit({ authorization: good.authorization }, guard, true))).toBe('bridge-foreign')
  })
})
