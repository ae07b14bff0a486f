import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBase64, toBase64 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import {
  cosignatureIn,
  EXCHANGE_MAX,
  formatAddCheckpoint,
  formatSize,
  parseAddCheckpoint,
  parseSize,
} from '../../src/provenance/add-checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { parseVkey } from '../../src/provenance/note.ts'
import { aHash, LOG } from './vectors.ts'

const path = LOG.consistency.path.map((node) => new Uint8Array(Buffer.from(node, 'hex')))
const key = parseVkey(sha256, LOG.witness_vkey) ?? expect.fail('no key')
const cosigned = (body: string) => cosignatureIn(body, { text: LOG.checkpoint_text, key, verify: verifyEd25519 })

describe('a request', () => {
  test('has the published form', () => {
    const request = { old: 3n, path, checkpoint: LOG.checkpoint }
    const text = formatAddCheckpoint(request)
    expect(text).toBe(`old 3\n${path.map((node) => `${toBase64(node)}\n`).join('')}\n${LOG.checkpoint}`)
    expect(parseAddCheckpoint(text)).toEqual(request)
  })
  test('is read as it was written, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 63n - 1n),
        fc.array(aHash, { maxLength: 63 }),
        fc.string(),
        (old, nodes, rest) => {
          const request = { old, path: nodes, checkpoint: rest }
          expect(parseAddCheckpoint(formatAddCheckpoint(request))).toEqual(request)
        },
      ),
    )
  })
  const node = toBase64(path[0] ?? new Uint8Array(32))
  test.for([
    ...['', 'old 3', 'old 3\n', 'old\n\nx', 'old 03\n\nx', 'old -1\n\nx', 'old  3\n\nx', 'Old 3\n\nx', ' old 3\n\nx'],
    ...['old 9223372036854775808\n\nx', `old 3\n${node.slice(1)}\n\nx`, `old 3\n${node} \n\nx`, 'old 3\nAAAA\n\nx'],
    ...[`old 3\n${`${node}\n`.repeat(64)}\nx`, `${node}\nold 3\n\nx`, `old 3\n\n${'x'.repeat(EXCHANGE_MAX)}`],
  ])('of another form is none: %j', (text) => {
    expect(parseAddCheckpoint(text)).toBeUndefined()
  })
})

test('a size is one line of digits', () => {
  expect(parseSize(formatSize(12n))).toBe(12n)
  for (const text of ['12', '012\n', '12\n\n', '-1\n', 'a\n', '', '\n', '9223372036854775808\n'])
    expect(parseSize(text), JSON.stringify(text)).toBeUndefined()
})

describe('in an answer', () => {
  test("the witness's line is found, alone or among others'", () => {
    const found = { line: LOG.witness_line, seconds: BigInt(LOG.witness_seconds) }
    expect(cosigned(LOG.witness_line)).toEqual(found)
    expect(cosigned(LOG.log_line + LOG.witness_line)).toEqual(found)
  })
  test('of any other form nothing is', () => {
    const [line = ''] = LOG.witness_line.split('\n')
    const bytes = fromBase64(line.split(' ')[2] ?? '') ?? new Uint8Array()
    const turned = new Uint8Array(bytes)
    turned[20] = (turned[20] ?? 0) ^ 1
    const bad = `— ${LOG.witness_name} ${toBase64(turned)}\n`
    const all = [
      '',
      '\n',
      line,
      `${LOG.witness_line}x\n`,
      `\n${LOG.witness_line}`,
      `${LOG.witness_line}\n`,
      LOG.log_line,
    ]
    const doubled = [bad, bad + LOG.witness_line, LOG.witness_line + bad, LOG.witness_line.repeat(2)]
    const moved = [`extension\n\n${LOG.witness_line}`, LOG.checkpoint, LOG.log_line.repeat(2_000) + LOG.witness_line]
    for (const body of [...all, ...doubled, ...moved]) expect(cosigned(body), body.slice(0, 80)).toBeUndefined()
  })
  test('whose cosignature is of another text, nothing is', () => {
    const text = LOG.checkpoint_text.replace('\n5\n', '\n6\n')
    expect(cosignatureIn(LOG.witness_line, { text, key, verify: verifyEd25519 })).toBeUndefined()
  })
})
