import { createHmac, createPublicKey, randomBytes, verify } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nobleGroup } from '../../src/client/noble-group.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import { sha512 } from '../../src/kernel/sha512.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { createVoprf } from '../../src/matching/oprf.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-keys-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const modeOf = (path: string): number => statSync(path).mode & 0o777
const bytes = (text: string): Buffer => Buffer.from(text)

/** A key file as it is given, mode 0600 unless said otherwise. */
function given(name: string, content: Uint8Array = Buffer.alloc(32, 7), mode = 0o600): string {
  const path = join(dir, name)
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

function verified(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey])
  return verify(null, data, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)
}

describe('a new key', () => {
  test('is 32 bytes in a file that its owner alone may read, in a folder that its owner alone may enter', async () => {
    const inner = join(dir, 'keys')
    const keys = fileKeys(inner)
    await keys.create('log-1', 'ed25519')
    await keys.create('receipt', 'symmetric')
    expect(readdirSync(inner).sort()).toEqual(['log-1.ed25519', 'receipt.symmetric'])
    expect(modeOf(inner)).toBe(0o700)
    for (const name of readdirSync(inner)) {
      expect(modeOf(join(inner, name))).toBe(0o600)
      expect(readFileSync(join(inner, name))).toHaveLength(32)
    }
  })

  test('has that mode under any umask', async () => {
    const before = process.umask(0)
    try {
      await fileKeys(dir).create('log-1', 'ed25519')
    } finally {
      process.umask(before)
    }
    expect(modeOf(join(dir, 'log-1.ed25519'))).toBe(0o600)
  })

  test('is made once: a second call leaves it as it is', async () => {
    const keys = fileKeys(dir)
    await keys.create('log-1', 'ed25519')
    const [before, publicKey] = [readFileSync(join(dir, 'log-1.ed25519')), keys.publicKey('log-1')]
    await keys.create('log-1', 'ed25519')
    await fileKeys(dir).create('log-1', 'ed25519')
    expect(readFileSync(join(dir, 'log-1.ed25519'))).toEqual(before)
    expect(keys.publicKey('log-1')).toEqual(publicKey)
  })

  test('is made once by two at the same time: the first one stays', async () => {
    const first = fileKeys(dir).create('log-1', 'ed25519')
    const written = Promise.resolve().then(() => readFileSync(join(dir, 'log-1.ed25519')))
    const second = fileKeys(dir).create('log-1', 'ed25519')
    await Promise.all([first, second])
    expect(readFileSync(join(dir, 'log-1.ed25519'))).toEqual(await written)
    expect(readdirSync(dir)).toEqual(['log-1.ed25519'])
  })

  test('is another one for each id and folder', async () => {
    const keys = fileKeys(dir)
    await keys.create('a', 'symmetric')
    await keys.create('b', 'symmetric')
    const other = fileKeys(join(dir, 'other'))
    await other.create('a', 'symmetric')
    const all = [keys.shared('a'), keys.shared('b'), other.shared('a')].map((key) => key.toString('hex'))
    expect(new Set(all).size).toBe(3)
  })

  test('can be made after a crash that left half of it behind', async () => {
    given(`log-1.ed25519.${process.pid}.new`, Buffer.alloc(5), 0o644)
    const keys = fileKeys(dir)
    await keys.create('log-1', 'ed25519')
    expect(keys.publicKey('log-1')).toHaveLength(32)
    expect(readdirSync(dir)).toEqual(['log-1.ed25519'])
    expect(modeOf(join(dir, 'log-1.ed25519'))).toBe(0o600)
  })

  test('is there for whoever opens the folder later', async () => {
    const keys = fileKeys(dir)
    await keys.create('log-1', 'ed25519')
    await keys.create('receipt', 'symmetric')
    const later = fileKeys(dir)
    expect(later.publicKey('log-1')).toEqual(keys.publicKey('log-1'))
    expect(later.open('receipt', keys.seal('receipt', bytes('pear'), bytes('a')), bytes('a'))).toEqual(bytes('pear'))
  })
})

describe('a key file is refused', () => {
  test.for([0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777])('with the mode %o', (mode) => {
    given('log-1.ed25519', undefined, mode)
    expect(() => fileKeys(dir).has('log-1')).toThrow(StartRefused)
    expect(() => fileKeys(dir).publicKey('log-1')).toThrow(StartRefused)
  })

  test.for([0, 31, 33, 64])('with %i bytes', (length) => {
    given('receipt.symmetric', Buffer.alloc(length))
    expect(() => fileKeys(dir).has('receipt')).toThrow(StartRefused)
  })

  test.skipIf(process.getuid?.() !== 0)('of another user (run as root to see it)', () => {
    const path = given('log-1.ed25519')
    chownSync(path, 12_345, 12_345)
    expect(() => fileKeys(dir).has('log-1')).toThrow(StartRefused)
  })

  test('instead of being made anew', async () => {
    const path = given('receipt.symmetric', Buffer.alloc(31))
    await expect(fileKeys(dir).create('receipt', 'symmetric')).rejects.toThrow(StartRefused)
    expect(readFileSync(path)).toHaveLength(31)
  })
})

test.for(['', '.', '..', '../log-1', 'a/b', 'A', '-a', 'a_b', 'log 1', 'log-1\0', 'log-1\n', 'é', 'a'.repeat(97)])(
  '%j is no key id',
  async (kid) => {
    given('log-1.ed25519')
    mkdirSync(join(dir, 'inner'))
    const keys = fileKeys(join(dir, 'inner'))
    expect(() => keys.has(kid)).toThrow(TypeError)
    await expect(keys.create(kid, 'symmetric')).rejects.toThrow(TypeError)
    expect(readdirSync(join(dir, 'inner'))).toEqual([])
  },
)

describe('a signing key', () => {
  test('signs as RFC 8032 section 7.1, test 1', async () => {
    given('log-1.ed25519', Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'))
    const keys = fileKeys(dir)
    expect(Buffer.from(keys.publicKey('log-1')).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    )
    expect(Buffer.from(await keys.sign('log-1', Buffer.alloc(0))).toString('hex')).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
        '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    )
  })

  test('is the one whose public half it names', async () => {
    const keys = fileKeys(dir)
    await keys.create('log-1', 'ed25519')
    const signature = await keys.sign('log-1', bytes('pear'))
    expect(verified(keys.publicKey('log-1'), bytes('pear'), signature)).toBe(true)
    expect(verified(keys.publicKey('log-1'), bytes('plum'), signature)).toBe(false)
  })

  test('seals, authenticates and is shared with nobody', async () => {
    const keys = fileKeys(dir)
    await keys.create('log-1', 'ed25519')
    expect(() => keys.shared('log-1')).toThrow()
    expect(() => keys.mac('log-1', bytes('pear'))).toThrow()
    expect(() => keys.seal('log-1', bytes('pear'), bytes(''))).toThrow()
  })
})

describe('a symmetric key', () => {
  const AAD = bytes('row 7')

  test('makes HMAC-SHA-256 over its 32 bytes', () => {
    given('receipt.symmetric')
    const keys = fileKeys(dir)
    const expected = createHmac('sha256', Buffer.alloc(32, 7)).update('pear').digest()
    expect(keys.mac('receipt', bytes('pear'))).toEqual(expected)
    expect(keys.shared('receipt')).toEqual(Buffer.alloc(32, 7))
  })

  test('signs nothing', async () => {
    given('receipt.symmetric')
    await expect(fileKeys(dir).sign('receipt', bytes('pear'))).rejects.toThrow()
    expect(() => fileKeys(dir).publicKey('receipt')).toThrow()
  })

  test('opens what it sealed, under the same additional data', () => {
    given('seal.symmetric')
    const keys = fileKeys(dir)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 30 }), (plain, aad) => {
        const sealed = keys.seal('seal', plain, aad)
        expect(sealed).toHaveLength(12 + plain.length + 16)
        expect(keys.open('seal', sealed, aad)).toEqual(Buffer.from(plain))
      }),
    )
  })

  test('opens nothing under other additional data', () => {
    given('seal.symmetric')
    const keys = fileKeys(dir)
    const sealed = keys.seal('seal', bytes('pear'), AAD)
    for (const aad of ['', 'row 8', 'row 7 ', 'Row 7', 'row'])
      expect(() => keys.open('seal', sealed, bytes(aad))).toThrow()
  })

  test('opens nothing of which any bit was turned', () => {
    given('seal.symmetric')
    const keys = fileKeys(dir)
    const sealed = keys.seal('seal', bytes('pear'), AAD)
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const turned = Buffer.from(sealed)
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => keys.open('seal', turned, AAD)).toThrow()
    }
  })

  test('opens nothing that was cut or lengthened', () => {
    given('seal.symmetric')
    const keys = fileKeys(dir)
    const sealed = keys.seal('seal', bytes('pear'), AAD)
    for (let n = 0; n < sealed.length; n++) {
      expect(() => keys.open('seal', sealed.subarray(0, n), AAD)).toThrow()
      if (n > 0) expect(() => keys.open('seal', sealed.subarray(n), AAD)).toThrow()
    }
    expect(() => keys.open('seal', Buffer.concat([sealed, Buffer.alloc(1)]), AAD)).toThrow()
  })

  test('opens nothing of another key', () => {
    given('a.symmetric', Buffer.alloc(32, 1))
    given('b.symmetric', Buffer.alloc(32, 2))
    const keys = fileKeys(dir)
    expect(() => keys.open('b', keys.seal('a', bytes('pear'), AAD), AAD)).toThrow()
  })

  test('seals the same thing differently each time', () => {
    given('seal.symmetric')
    const keys = fileKeys(dir)
    const sealed = Array.from({ length: 100 }, () => keys.seal('seal', bytes('pear'), AAD).toString('hex'))
    expect(new Set(sealed.map((one) => one.slice(0, 24))).size).toBe(100)
  })
})

test('a key that is not there has no use', async () => {
  const keys = fileKeys(dir)
  expect(keys.has('log-1')).toBe(false)
  await expect(keys.sign('log-1', bytes('pear'))).rejects.toThrow()
  expect(() => keys.publicKey('log-1')).toThrow()
  expect(() => keys.mac('log-1', bytes('pear'))).toThrow()
  await keys.create('log-1', 'ed25519')
  expect(keys.has('log-1')).toBe(true)
})

describe('an OPRF key', () => {
  test('is a scalar of the group, of which it tells the public key and by which it evaluates', async () => {
    const keys = fileKeys(join(dir, 'oprf'))
    await keys.create('hash-a', 'oprf')
    const publicKey = await keys.oprfPublicKey('hash-a')
    expect(nobleGroup.isElement(publicKey)).toBe(true)
    const voprf = createVoprf({ group: nobleGroup, hash: sha512, random: () => randomBytes(64) })
    const { element } = voprf.blind(Buffer.from('pear'))
    expect(voprf.verify(publicKey, [element], await keys.evaluate('hash-a', element))).toBe(true)
    await keys.create('hash-a', 'oprf')
    expect(await keys.oprfPublicKey('hash-a')).toEqual(publicKey)
  })

  test('is refused if the file holds no scalar, and other kinds of keys evaluate nothing', async () => {
    const keys = fileKeys(join(dir, 'other'))
    writeFileSync(join(dir, 'other', 'hash-b.oprf'), Buffer.alloc(32, 255), { mode: 0o600 })
    await expect(keys.oprfPublicKey('hash-b')).rejects.toThrow(StartRefused)
    await keys.create('hash-c', 'symmetric')
    await expect(keys.evaluate('hash-c', Buffer.alloc(32))).rejects.toThrow('no OPRF key')
    expect(() => keys.shared('hash-b')).toThrow('no symmetric key')
  })
})

test('a key that is destroyed is gone from the disk and from memory, whichever kind; again it is nothing', async () => {
  const keys = fileKeys(dir)
  await keys.create('plum', 'symmetric')
  await keys.create('fig', 'ed25519')
  const sealed = keys.seal('plum', bytes('x'), bytes('y'))
  await keys.destroy('plum')
  await keys.destroy('plum')
  expect(readdirSync(dir)).toEqual(['fig.ed25519'])
  expect(keys.has('plum')).toBe(false)
  expect(() => keys.open('plum', sealed, bytes('y'))).toThrow('no symmetric key plum')
  await keys.destroy('fig')
  expect(readdirSync(dir)).toEqual([])
})
