import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import {
  checkpointText,
  cosignatureBytes,
  cosignedAt,
  cosignedText,
  openCheckpoint,
  originHash,
  parseCheckpoint,
} from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import {
  formatNote,
  NOTE_TYPE,
  parseNote,
  parseVkey,
  signatureLine,
  type VerifierKey,
} from '../../src/provenance/note.ts'
import { aKey } from './signing.ts'
import { aBit, aHash, bytes, flipped, LOG, TESSERA } from './vectors.ts'

const keyOf = (text: string): VerifierKey => parseVkey(sha256, text) ?? expect.fail('a published key is not read')
const log = (): VerifierKey => keyOf(LOG.vkey)
const witness = (): VerifierKey => keyOf(LOG.witness_vkey)
const logKey = aKey(LOG.origin, bytes(LOG.log_seed))
const witnessKey = aKey(LOG.witness_name, bytes(LOG.witness_seed))
const head = { origin: LOG.origin, size: 5n, root: bytes(LOG.root) }
const SECONDS = BigInt(LOG.witness_seconds)

const open = (text: string, key = log()) => openCheckpoint(text, key, verifyEd25519).outcome
const cosigned = (note: string, key = witness()): bigint | undefined => {
  const parsed = parseNote(note)
  return parsed && cosignedAt(parsed, key, verifyEd25519)
}

describe('the published checkpoint', () => {
  test('is made byte for byte from its seeds', () => {
    expect(checkpointText(head)).toBe(LOG.checkpoint_text)
    expect(logKey.line(LOG.checkpoint_text)).toBe(LOG.log_line)
    const signature = cosignatureBytes(SECONDS, witnessKey.sign(cosignedText(LOG.checkpoint_text, SECONDS)))
    const { name, publicKey } = witnessKey
    const line = signatureLine(sha256, { name, publicKey, signature, type: NOTE_TYPE.cosignature })
    expect(line).toBe(LOG.witness_line)
    expect(formatNote(LOG.checkpoint_text, [LOG.log_line, line])).toBe(LOG.checkpoint)
  })
  test('opens under the key of its log, and says when the witness saw it', () => {
    expect(openCheckpoint(LOG.checkpoint, log(), verifyEd25519)).toMatchObject({ outcome: 'signed', checkpoint: head })
    expect(cosigned(LOG.checkpoint)).toBe(SECONDS)
  })
})

test.for(TESSERA.checkpoints.map((note, size) => ({ note, size })))(
  "another implementation's checkpoint of size $size opens under its key",
  ({ note, size }) => {
    const opened = openCheckpoint(note, keyOf(TESSERA.vkey), verifyEd25519)
    expect(opened).toMatchObject({ outcome: 'signed', checkpoint: { size: BigInt(size) } })
    expect(opened.outcome === 'signed' && checkpointText(opened.checkpoint)).toBe(
      note.slice(0, note.indexOf('\n\n') + 1),
    )
  },
)

describe('a checkpoint', () => {
  test('comes back from its text', () => {
    const any = fc.record({
      origin: fc.constantFrom(LOG.origin, 'a', 'pear.example/1'),
      size: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      root: aHash,
    })
    fc.assert(
      fc.property(any, (one) => {
        expect(parseCheckpoint(checkpointText(one))).toEqual(one)
      }),
    )
  })
  const root = LOG.checkpoint_text.split('\n')[2] ?? ''
  test.for<[what: string, text: string]>([
    ['nothing', ''],
    ['no newline at the end', `a\n5\n${root}`],
    ['no origin', `\n5\n${root}\n`],
    ['an extension line', `a\n5\n${root}\nmore\n`],
    ['an empty line more', `a\n5\n${root}\n\n`],
    ['no size', `a\n\n${root}\n`],
    ['a leading zero', `a\n05\n${root}\n`],
    ['a sign', `a\n+5\n${root}\n`],
    ['a negative size', `a\n-5\n${root}\n`],
    ['a size in hexadecimal', `a\n0x5\n${root}\n`],
    ['a size of twenty digits', `a\n10000000000000000000\n${root}\n`],
    ['a space before the size', `a\n 5\n${root}\n`],
    ['a root of 31 bytes', `a\n5\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root of 33 bytes', `a\n5\n${Buffer.alloc(33).toString('base64')}\n`],
    ['a root without padding', `a\n5\n${root.replace('=', '')}\n`],
    ['a root with loose bits', `a\n5\n${root.replace('M=', 'N=')}\n`],
    ['no root', 'a\n5\n\n'],
  ])('with %s is none', ([, text]) => {
    expect(parseCheckpoint(`a\n5\n${root}\n`)).toBeDefined()
    expect(parseCheckpoint(text)).toBeUndefined()
  })
  test('that is signed but not canonical does not open', () => {
    const text = LOG.checkpoint_text.replace('\n5\n', '\n05\n')
    expect(open(formatNote(text, [logKey.line(text)]))).toBe('failed')
    expect(open(formatNote(`${LOG.checkpoint_text}more\n`, [logKey.line(`${LOG.checkpoint_text}more\n`)]))).toBe(
      'failed',
    )
  })
  test('of another origin does not open, even if our key signed it', () => {
    const text = checkpointText({ ...head, origin: 'node.example.org/provenance/2' })
    expect(open(formatNote(text, [logKey.line(text)]))).toBe('failed')
  })
  test('by another key of the same name does not open', () => {
    expect(open(logKey.note(head))).toBe('signed')
    expect(open(aKey(LOG.origin, new Uint8Array(32).fill(8)).note(head))).toBe('failed')
  })
  test('that is no note, or signed by a witness alone, does not open', () => {
    expect(open(LOG.checkpoint_text)).toBe('failed')
    expect(open(formatNote(LOG.checkpoint_text, [LOG.witness_line]))).toBe('failed')
  })
  test('that does not open says why', () => {
    const why = (text: string) => {
      const opened = openCheckpoint(text, log(), verifyEd25519)
      return opened.outcome === 'failed' ? opened.why : opened.outcome
    }
    expect(why(LOG.checkpoint_text)).toBe('the note is not canonical')
    expect(why(formatNote('x\n', [logKey.line('x\n')]))).toBe('the checkpoint is not canonical')
    expect(why(logKey.note({ ...head, origin: 'other.example' }))).toBe('the checkpoint is of another log')
    const other = aKey(LOG.origin, new Uint8Array(32).fill(8)).note(head)
    expect(why(other)).toBe('the signature of the pinned key is missing or wrong')
  })
  test('with one bit turned, up to the end of the signature, does not open', () => {
    const signed = utf8(logKey.note(head))
    fc.assert(
      fc.property(aBit, (bit) => {
        expect(open(Buffer.from(flipped(signed, bit)).toString())).toBe('failed')
      }),
      { numRuns: 300 },
    )
  })
})

describe('a cosignature', () => {
  const line = (seconds: bigint, signature: Uint8Array): string =>
    signatureLine(sha256, {
      ...{ name: LOG.witness_name, publicKey: witnessKey.publicKey, type: NOTE_TYPE.cosignature },
      signature: cosignatureBytes(seconds, signature),
    })
  const good = (): Uint8Array => witnessKey.sign(cosignedText(LOG.checkpoint_text, SECONDS))

  test('is bound to its time', () => {
    expect(cosigned(formatNote(LOG.checkpoint_text, [line(SECONDS, good())]))).toBe(SECONDS)
    expect(cosigned(formatNote(LOG.checkpoint_text, [line(SECONDS + 1n, good())]))).toBeUndefined()
  })
  test('is bound to its text', () => {
    const other = checkpointText({ ...head, size: 6n })
    expect(cosigned(formatNote(other, [line(SECONDS, good())]))).toBeUndefined()
  })
  test('without time, or over the bare text, is none', () => {
    const bare = { name: LOG.witness_name, publicKey: witnessKey.publicKey, type: NOTE_TYPE.cosignature }
    const short = signatureLine(sha256, { ...bare, signature: good() })
    expect(cosigned(formatNote(LOG.checkpoint_text, [short]))).toBeUndefined()
    const note = parseNote(formatNote(LOG.checkpoint_text, [short])) ?? expect.fail('no note')
    expect(cosignedAt(note, witness(), () => true)).toBeUndefined()
    const plain = witnessKey.sign(utf8(LOG.checkpoint_text))
    expect(cosigned(formatNote(LOG.checkpoint_text, [line(SECONDS, plain)]))).toBeUndefined()
  })
  test('stands under both the name and the id of its key, whatever stands before it', () => {
    const own = line(SECONDS, good())
    const [, name = '', encoded = ''] = own.trimEnd().split(' ')
    const renamed = `— other.example ${encoded}\n`
    const foreign = line(SECONDS, aKey(name, new Uint8Array(32).fill(8)).sign(utf8('x'))).replace(
      encoded.slice(0, 4),
      'AAAA',
    )
    expect(cosigned(formatNote(LOG.checkpoint_text, [renamed]))).toBeUndefined()
    expect(cosigned(formatNote(LOG.checkpoint_text, [foreign, own]))).toBe(SECONDS)
    expect(cosigned(formatNote(LOG.checkpoint_text, [renamed.replace('A', 'B'), own]))).toBe(SECONDS)
  })
  test('is not read from a note that lacks it, nor by a key that signs notes', () => {
    expect(cosigned(formatNote(LOG.checkpoint_text, [LOG.log_line]))).toBeUndefined()
    expect(cosigned(LOG.checkpoint, log())).toBeUndefined()
    const { name, publicKey, vkey } = witnessKey
    const plain = signatureLine(sha256, { name, publicKey, signature: cosignatureBytes(SECONDS, good()) })
    expect(cosigned(formatNote(LOG.checkpoint_text, [plain]), vkey)).toBeUndefined()
  })
})

test('witnesses name a log by the SHA-256 of its origin', () => {
  expect(toHex(originHash(sha256, LOG.origin))).toBe(toHex(sha256(utf8(LOG.origin))))
})
