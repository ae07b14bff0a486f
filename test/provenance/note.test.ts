import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBase64, toHex, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import {
  formatNote,
  formatVkey,
  keyId,
  lineBy,
  NOTE_TYPE,
  type Note,
  parseNote,
  parseVkey,
  signatureLine,
  type VerifierKey,
  verifyNote,
} from '../../src/provenance/note.ts'
import { aKey, vkeyText } from './signing.ts'
import { aBit, flipped, LOG, NOTE } from './vectors.ts'

const peter = (): VerifierKey => parseVkey(sha256, NOTE.vkey) ?? expect.fail('the published key is not read')
const apple = aKey('apple.example', new Uint8Array(32).fill(1))
const banana = aKey('banana.example', new Uint8Array(32).fill(2))

const parsed = (text: string): Note => parseNote(text) ?? expect.fail('the note is not canonical')
const signedBy = (text: string, key = peter()): boolean => verifyNote(parsed(text), key, verifyEd25519)

describe('the published note', () => {
  const seed = fromBase64(NOTE.private_key.split('+').slice(4).join('+'))?.slice(1) ?? expect.fail('no seed')
  const own = aKey('PeterNeumann', seed)

  test('verifies under its key', () => {
    expect(parsed(NOTE.note)).toEqual({
      text: NOTE.text,
      signatures: [expect.objectContaining({ name: 'PeterNeumann' })],
    })
    expect(signedBy(NOTE.note)).toBe(true)
  })
  test('is made byte for byte from its seed', () => {
    expect(formatVkey(sha256, 'PeterNeumann', own.publicKey)).toBe(NOTE.vkey)
    expect(toHex(keyId(sha256, 'PeterNeumann', NOTE_TYPE.ed25519, own.publicKey))).toBe('c74f20a3')
    expect(own.line(NOTE.text)).toBe(NOTE.line)
    expect(formatNote(NOTE.text, [NOTE.line])).toBe(NOTE.note)
  })
  test('verifies no more with one bit turned, in the text or the signature', () => {
    const { text, signatures } = parsed(NOTE.note)
    fc.assert(
      fc.property(aBit, (bit) => {
        const other = Buffer.from(flipped(utf8(text), bit)).toString('latin1')
        expect(verifyNote({ text: other, signatures }, peter(), verifyEd25519)).toBe(false)
        const turned = signatures.map((one) => ({ ...one, signature: flipped(one.signature, bit) }))
        expect(verifyNote({ text, signatures: turned }, peter(), verifyEd25519)).toBe(false)
      }),
    )
  })
})

describe('signatures', () => {
  const text = 'ripe\n'

  test('of keys that are not asked for are passed over', () => {
    const both = formatNote(text, [apple.line(text), banana.line(text)])
    expect(signedBy(both, apple.vkey)).toBe(true)
    expect(signedBy(both, banana.vkey)).toBe(true)
    expect(signedBy(both)).toBe(false)
  })
  test('of the key that is asked for must all be right', () => {
    const wrong = apple.line('unripe\n')
    expect(signedBy(formatNote(text, [wrong]), apple.vkey)).toBe(false)
    expect(signedBy(formatNote(text, [apple.line(text), wrong]), apple.vkey)).toBe(false)
    expect(signedBy(formatNote(text, [wrong, banana.line(text)]), banana.vkey)).toBe(true)
  })
  test('under the name of one key and by another are not of the first', () => {
    const forged = aKey(apple.name, new Uint8Array(32).fill(3)).line(text)
    expect(signedBy(formatNote(text, [forged]), apple.vkey)).toBe(false)
    expect(signedBy(formatNote(text, [forged, apple.line(text)]), apple.vkey)).toBe(true)
  })
  test('under another name and the id of one key are not of it', () => {
    const [, , encoded = ''] = apple.line(text).trimEnd().split(' ')
    expect(signedBy(`${text}\n— banana.example ${encoded}\n`, apple.vkey)).toBe(false)
  })
  test('of one key are told as the line that it signed by, the first of several; those of others, or by its name or id alone, are not', () => {
    const [, , encoded = ''] = apple.line(text).trimEnd().split(' ')
    const strange = [aKey(apple.name, new Uint8Array(32).fill(3)).line(text), `— banana.example ${encoded}\n`]
    const lines = [banana.line(text), ...strange, apple.line(text), apple.line('unripe\n')]
    expect(lineBy(parsed(formatNote(text, lines)), apple.vkey)).toBe(apple.line(text))
    expect(lineBy(parsed(formatNote(text, [banana.line(text), ...strange])), apple.vkey)).toBeUndefined()
  })
  test('that are shorter or longer than Ed25519 makes them fail', () => {
    const signature = apple.sign(utf8(text))
    for (const other of [signature.slice(1), Buffer.concat([signature, Buffer.of(0)])]) {
      const line = signatureLine(sha256, { name: apple.name, publicKey: apple.publicKey, signature: other })
      expect(signedBy(formatNote(text, [line]), apple.vkey)).toBe(false)
      expect(verifyNote(parsed(formatNote(text, [line])), apple.vkey, () => true)).toBe(false)
    }
  })
  test('by a key of another type than Ed25519 sign no text', () => {
    const type = NOTE_TYPE.cosignature
    const key = parseVkey(sha256, formatVkey(sha256, apple.name, apple.publicKey, type)) ?? expect.fail('no key')
    const signature = apple.sign(utf8(text))
    const line = signatureLine(sha256, { name: apple.name, publicKey: apple.publicKey, signature, type })
    expect(signedBy(formatNote(text, [line]), key)).toBe(false)
  })
  test('may be forty', () => {
    const keys = Array.from({ length: 40 }, (_, i) => aKey(`witness-${i}.example`, new Uint8Array(32).fill(i)))
    const note = formatNote(
      text,
      keys.map((key) => key.line(text)),
    )
    expect(keys.filter((key) => signedBy(note, key.vkey)).length).toBe(40)
  })
})

describe('a note', () => {
  const { line } = NOTE

  test('is split at its last empty line', () => {
    const text = 'one\n\ntwo\n\n\nthree\n'
    const note = formatNote(text, [apple.line(text)])
    expect(parsed(note).text).toBe(text)
    expect(signedBy(note, apple.vkey)).toBe(true)
  })
  test('may be of any characters but control characters', () => {
    expect(parsed(formatNote('Äpfel — 苹果 🍎\n', [line])).text).toBe('Äpfel — 苹果 🍎\n')
    for (let code = 0; code < 32; code++) {
      const text = `a${String.fromCharCode(code)}b\n`
      expect(parseNote(formatNote(text, [line])) !== undefined, String(code)).toBe(code === 10)
    }
  })
  test('without newline at its end is not made', () => {
    expect(() => formatNote('x', [line])).toThrow(new TypeError('a note ends with a newline'))
  })
  test('may be an empty line, and a signature one byte', () => {
    expect(parsed(`\n\n${line}`).text).toBe('\n')
    const [one] = parsed('x\n\n— apple.example AAAAAAE=\n').signatures
    expect([one?.name, one?.id.length, one?.signature]).toEqual(['apple.example', 4, Uint8Array.of(1)])
  })
  const encoded = line.trimEnd().split(' ')[2] ?? ''
  test.for<[what: string, note: string]>([
    ['nothing', ''],
    ['no empty line', `x\n${line}`],
    ['no signature', 'x\n\n'],
    ['no text but an empty line', `\n${line}`],
    ['no newline at the end', `x\n\n${line.trimEnd()}`],
    ['something in the place of the last newline', `x\n\n${line.trimEnd()}x`],
    ['CRLF', `x\r\n\r\n${line}`],
    ['another line among the signatures', `x\n\n${line}more\n${line}`],
    ['something before the dash', `x\n\nx${line}`],
    ['a hyphen for the dash', `x\n\n- apple.example ${encoded}\n`],
    ['two spaces', `x\n\n—  apple.example ${encoded}\n`],
    ['no name', `x\n\n— ${encoded}\n`],
    ['a plus in the name', `x\n\n— apple+example ${encoded}\n`],
    ['a wide space in the name', `x\n\n— apple\u2003example ${encoded}\n`],
    ['something after the signature', `x\n\n— apple.example ${encoded} x\n`],
    ['base64 without padding', `x\n\n— apple.example ${encoded.replace(/=+$/, '')}\n`],
    ['base64 with loose bits', `x\n\n— apple.example ${encoded.replace(/.=$/, 'B=')}\n`],
    ['URL-safe base64', `x\n\n— apple.example ${'-_'.repeat(34)}\n`],
    ['a key id and no signature', `x\n\n— apple.example AAAAAA==\n`],
    ['three bytes', `x\n\n— apple.example AAAA\n`],
  ])('with %s is none', ([, note]) => {
    expect(parseNote(`x\n\n${line}`)).toBeDefined()
    expect(parseNote(note)).toBeUndefined()
  })
})

describe('a verifier key', () => {
  test('is read and written alike', () => {
    for (const text of [NOTE.vkey, LOG.vkey, LOG.witness_vkey]) {
      const { name, publicKey, type } = parseVkey(sha256, text) ?? expect.fail('a published key is not read')
      expect(formatVkey(sha256, name, publicKey, type)).toBe(text)
    }
    expect(parseVkey(sha256, LOG.witness_vkey)?.type).toBe(NOTE_TYPE.cosignature)
    expect(parseVkey(sha256, vkeyText(apple.name, apple.publicKey))).toEqual(apple.vkey)
  })
  test('with any bit of its key or id turned is none', () => {
    const [name = '', id = '', encoded = ''] = LOG.vkey.split('+')
    fc.assert(
      fc.property(aBit, (bit) => {
        const other = Buffer.from(flipped(Buffer.from(encoded, 'base64'), bit)).toString('base64')
        expect(parseVkey(sha256, `${name}+${id}+${other}`)).toBeUndefined()
        expect(parseVkey(sha256, `${name}+${toHex(flipped(Buffer.from(id, 'hex'), bit))}+${encoded}`)).toBeUndefined()
      }),
    )
  })
  test.for<[what: string, text: string]>([
    ['nothing', ''],
    ['one part', 'PeterNeumann'],
    ['two parts', 'PeterNeumann+c74f20a3'],
    ['no name', NOTE.vkey.slice('PeterNeumann'.length)],
    ['an empty name', vkeyText('', apple.publicKey)],
    ['another name', NOTE.vkey.replace('Peter', 'Paul')],
    ['a name with a space', NOTE.vkey.replace('PeterNeumann', 'Peter Neumann')],
    ['an id in capitals', NOTE.vkey.replace('c74f20a3', 'C74F20A3')],
    ['a short id', NOTE.vkey.replace('c74f20a3', 'c74f20')],
    ['a short key', NOTE.vkey.slice(0, -4)],
    ['a newline at its end', `${NOTE.vkey}\n`],
    ['a private key', NOTE.private_key],
  ])('of %s is none', ([, text]) => {
    expect(parseVkey(sha256, text)).toBeUndefined()
  })
})
