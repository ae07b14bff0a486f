import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBase64, toBase64Url, toHex, utf8 } from '../../src/kernel/bytes.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { chainDigest, chainDisclosure, chainsHash, decoyDigest, entryOf } from '../../src/provenance/chain.ts'
import { commitment } from '../../src/provenance/commitment.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { auditPath, leafHash, treeHash } from '../../src/provenance/merkle.ts'
import { parseVkey, type VerifierKey } from '../../src/provenance/note.ts'
import { setProof, sourcePath, sourceRoot } from '../../src/provenance/readset.ts'
import {
  formatReceipt,
  isExtra,
  parseReceipt,
  type Receipt,
  type ReceiptExtra,
  type ReceiptItem,
  type Verified,
  verifyReceipt,
} from '../../src/provenance/receipt.ts'
import { leavesOf } from './definition.ts'
import { disclosure, payloadOf } from './disclosures.ts'
import { aKey } from './signing.ts'
import { aBit, bytes, flipped, LOG, READSET, RECORD } from './vectors.ts'

const published = (): VerifierKey => parseVkey(sha256, LOG.vkey) ?? expect.fail('the published key is not read')
const parsed = (text: string): Receipt => parseReceipt(text) ?? expect.fail('it is not a receipt')
const check = (receipt: Receipt, key: VerifierKey = published()): Verified =>
  verifyReceipt(receipt, { hash: sha256, key, verify: verifyEd25519 })
const failures = ({ steps }: Verified): number => steps.filter(({ result }) => result === 'FAIL').length

describe('the published receipt', () => {
  test('has its length and its hash', () => {
    expect([LOG.receipt.length, utf8(LOG.receipt).length]).toEqual([LOG.receipt_characters, LOG.receipt_bytes])
    expect(toHex(sha256(utf8(LOG.receipt)))).toBe(LOG.receipt_sha256)
  })
  test('is made byte for byte of its parts', () => {
    const { payload, fields, chain_disclosure } = RECORD.one_party
    const extra = {
      v: 1,
      payload,
      disclosures: fields.map((field) => field.disclosure),
      chains: [chain_disclosure],
    } as const
    const { index, path, checkpoint } = LOG
    expect(formatReceipt({ extra, index: BigInt(index), path: path.map(bytes), checkpoint })).toBe(LOG.receipt)
  })
  test('is read and written alike', () => {
    expect(formatReceipt(parsed(LOG.receipt))).toBe(LOG.receipt)
  })
  test('verifies in every step, and shows its fields', () => {
    const verified = check(parsed(LOG.receipt))
    expect(verified.steps.map(({ result }) => result)).toEqual(['PASS', 'PASS', 'PASS', 'PASS'])
    expect(verified).toMatchObject({ passed: true, size: 5n, index: 2n, inner: [] })
    expect(verified.fields).toEqual(RECORD.one_party.fields.map(({ name, value }) => ({ name, value })))
  })
  test('of nothing else names no item', () => {
    expect('item' in check(parsed(LOG.receipt))).toBe(false)
  })
  test("verifies no more with one bit turned, up to the end of the log's signature", () => {
    const signed = utf8(LOG.receipt.slice(0, LOG.receipt.lastIndexOf('—')))
    fc.assert(
      fc.property(aBit, (bit) => {
        const other = Buffer.from(flipped(signed, bit)).toString()
        const receipt = parseReceipt(`${other}${LOG.witness_line}`)
        expect(receipt !== undefined && check(receipt).passed).toBe(false)
      }),
      { numRuns: 500 },
    )
  })
})

const KEY = aKey('node.example.org/provenance/7', new Uint8Array(32).fill(7))
const OTHER = aKey('node.example.org/provenance/7', new Uint8Array(32).fill(8))
const SALT = new Uint8Array(32).fill(5)
const OWN = { party: 'plum', seq: 1n, salt: SALT, link: new Uint8Array(32).fill(6) }
const HIDDEN = { party: 'fig', seq: 9n, salt: SALT, link: new Uint8Array(32).fill(9) }
const READS = 5
const PLACE = 3

/** A read of a batch: its payload and disclosures. */
function aRead(i: number): { payload: string; disclosures: string[] } {
  const disclosures = [disclosure(SALT, 'route', `/v1/lookup/${i}`), disclosure(SALT, 'n', i)]
  return { payload: payloadOf(sha256, disclosures), disclosures }
}

const leavesOfReads = (): Uint8Array[] =>
  Array.from({ length: READS }, (_, i) => leafHash(sha256, commitment(sha256, aRead(i).payload)))

const innerOf = (place = PLACE): NonNullable<ReceiptExtra['inner']> => ({
  ...aRead(place),
  ...{ index: place, size: READS },
  path: auditPath(sha256, leavesOfReads(), place).map((node) => toBase64Url(node)),
})

/** A receipt of a batch of reads in a log of 21 entries, its holder seeing one of two chains. */
function aReceipt(change: Partial<ReceiptExtra> = {}, key = KEY): Receipt {
  const fields = { type: 'read.batch', n: READS, root: toBase64Url(treeHash(sha256, leavesOfReads())) }
  const disclosures = Object.entries(fields).map(([name, value]) => disclosure(SALT, name, value))
  const payload = payloadOf(sha256, disclosures)
  const hidden = [chainDigest(sha256, HIDDEN), decoyDigest(sha256, SALT), decoyDigest(sha256, OWN.link)]
  const h = chainsHash(sha256, [chainDigest(sha256, OWN), ...hidden])
  const leaves = leavesOf(21).with(13, leafHash(sha256, entryOf(sha256, commitment(sha256, payload), h)))
  const chain_digests = hidden.map((digest) => toBase64Url(digest)).sort()
  return {
    extra: { v: 1, payload, disclosures, chains: [chainDisclosure(OWN)], chain_digests, inner: innerOf(), ...change },
    index: 13n,
    path: auditPath(sha256, leaves, 13),
    checkpoint: key.note({ origin: key.name, size: 21n, root: treeHash(sha256, leaves) }),
  }
}

const verdict = (receipt: Receipt): Verified => check(parsed(formatReceipt(receipt)), KEY.vkey)
const withInner = (change: Partial<NonNullable<ReceiptExtra['inner']>>): Receipt =>
  aReceipt({ inner: { ...innerOf(), ...change } })

describe('a receipt', () => {
  test('of a batch, with a hidden chain, decoys and one of its reads verifies in six steps', () => {
    const verified = verdict(aReceipt())
    expect([verified.passed, verified.steps.length]).toEqual([true, 6])
    expect(verified.inner).toEqual([
      { name: 'route', value: `/v1/lookup/${PLACE}` },
      { name: 'n', value: PLACE },
    ])
  })
  test('proves each read of its batch', () => {
    for (let place = 0; place < READS; place++) expect(verdict(aReceipt({ inner: innerOf(place) })).passed).toBe(true)
  })
  test('shows what its holder may open, and no more', () => {
    const { disclosures } = aReceipt().extra
    const { inner: _, ...extra } = aReceipt({ disclosures: disclosures.slice(0, 1) }).extra
    const verified = verdict({ ...aReceipt(), extra })
    expect(verified).toMatchObject({ passed: true, fields: [{ name: 'type', value: 'read.batch' }], inner: [] })
  })
  test('whose checkpoint another key signed is refused, though all else is right', () => {
    expect(failures(verdict(aReceipt({}, OTHER)))).toBe(2)
    expect(check(aReceipt({}, OTHER), OTHER.vkey).passed).toBe(true)
  })
  test('whose checkpoint is of another origin is refused, though the pinned key signed it', () => {
    const receipt = aReceipt()
    const text = receipt.checkpoint.slice(0, receipt.checkpoint.indexOf('\n\n') + 1).replace('/7\n', '/8\n')
    expect(verdict({ ...receipt, checkpoint: `${text}\n${KEY.line(text)}` }).passed).toBe(false)
  })
  test('whose checkpoint is of another tree is refused', () => {
    const root = treeHash(sha256, leavesOf(21))
    expect(failures(verdict({ ...aReceipt(), checkpoint: KEY.note({ origin: KEY.name, size: 21n, root }) }))).toBe(1)
  })
  test('at another index is refused, and beyond the tree', () => {
    for (const index of [0n, 12n, 14n, 20n, 21n, 22n]) expect(verdict({ ...aReceipt(), index }).passed).toBe(false)
  })
  test('without one node of its path, or with one more, is refused', () => {
    const { path, ...receipt } = aReceipt()
    for (const other of [path.slice(1), path.slice(0, -1), [...path, SALT], []])
      expect(failures(verdict({ ...receipt, path: other }))).toBe(1)
  })
  test('that hides, adds or invents a chain is refused', () => {
    const { chains, chain_digests = [] } = aReceipt().extra
    const invented = chainDisclosure({ ...OWN, seq: 2n })
    const changes: Partial<ReceiptExtra>[] = [
      { chains: [] },
      { chains: [invented] },
      { chains: [...chains, invented] },
      { chain_digests: chain_digests.slice(1) },
      { chain_digests: [...chain_digests, toBase64Url(SALT)] },
    ]
    for (const change of changes) expect(failures(verdict(aReceipt(change)))).toBe(1)
  })
  test('with a chain digest that is none is refused', () => {
    for (const digest of ['', 'AAAA', `${toBase64Url(SALT)}=`, toBase64Url(SALT).replace(/.$/, 'B')]) {
      const { chain_digests = [] } = aReceipt().extra
      expect(failures(verdict(aReceipt({ chain_digests: chain_digests.with(0, digest) })))).toBe(2)
    }
  })
  test('with a disclosure of its own making is refused', () => {
    const { disclosures } = aReceipt().extra
    const forged = disclosure(SALT, 'n', READS + 1)
    expect(failures(verdict(aReceipt({ disclosures: [forged] })))).toBe(2)
    expect(verdict(aReceipt({ disclosures: [...disclosures, forged] })).passed).toBe(false)
  })
})

describe('an inner record', () => {
  test('that is another one is refused', () => {
    const other = aRead(99)
    expect(failures(verdict(withInner(other)))).toBe(1)
    expect(failures(verdict(withInner(aRead(0))))).toBe(1)
  })
  test('with a disclosure that is not its own is refused', () => {
    expect(failures(verdict(withInner({ disclosures: aRead(99).disclosures })))).toBe(1)
  })
  test('at another place of its batch is refused', () => {
    for (const index of [-1, 0, 2, 4, 5]) expect(failures(verdict(withInner({ index }))), String(index)).toBe(1)
  })
  test('in a batch of another size than the log says is refused, though its path leads to the root', () => {
    // The path of leaf 4 of 5 is that of leaf 1 of 2: a root alone does not say how many leaves are under it.
    expect(verdict(aReceipt({ inner: innerOf(4) })).passed).toBe(true)
    for (const [index, size] of [
      [1, 2],
      [4, 6],
      [0, 0],
    ] as const)
      expect(failures(verdict(aReceipt({ inner: { ...innerOf(4), index, size } }))), `${index} of ${size}`).toBe(1)
    for (const size of [READS + 1, READS + 2, 8])
      expect(failures(verdict(aReceipt({ inner: { ...innerOf(0), size } })))).toBe(1)
  })
  test('with one bit of its path turned, or a node more or less, is refused', () => {
    const { path } = innerOf()
    fc.assert(
      fc.property(aBit, fc.nat({ max: path.length - 1 }), (bit, at) => {
        const node = flipped(Buffer.from(path[at] ?? '', 'base64url'), bit)
        expect(failures(verdict(withInner({ path: path.with(at, toBase64Url(node)) })))).toBe(1)
      }),
      { numRuns: 30 },
    )
    for (const other of [path.slice(1), [...path, toBase64Url(SALT)], path.with(0, 'no hash'), []])
      expect(failures(verdict(withInner({ path: other })))).toBe(1)
  })
  test('of a batch whose root or size the holder was not shown is refused', () => {
    const { disclosures } = aReceipt().extra
    for (const some of [[], disclosures.slice(0, 2), disclosures.toSpliced(1, 1)])
      expect(failures(verdict(aReceipt({ disclosures: some })))).toBe(1)
  })
})

/** The published set as the only one of read 2, beside two other reads of the batch that gave out something of the party. */
function aSetProof(at: number): { item: ReceiptItem; root: string } {
  const items = READSET.items.map(({ signal, revision }) => ({ signal: signal as Uuid, revision }))
  const set = { salt: bytes(READSET.set_salt), party: READSET.party, items }
  const { data, path } = setProof(sha256, set, at)
  const sets = [0, 2, 4].map((read) => ({
    read,
    root: read === 2 ? bytes(READSET.set_root) : new Uint8Array(32).fill(read),
  }))
  const texts = (nodes: readonly Uint8Array[]): string[] => nodes.map((node) => toBase64Url(node))
  const read = { index: 2, place: 1, path: texts(sourcePath(sha256, sets, 1)) }
  const { signal, revision } = items[at] ?? expect.fail('no such item')
  const salt = toBase64Url(data.subarray(0, 32))
  return {
    item: { signal, revision, salt, index: at, size: items.length, path: texts(path), read },
    root: toBase64Url(sourceRoot(sha256, sets)),
  }
}

/** A receipt of a batch whose reader obtained the published set of org-a. */
function anItemReceipt(change: Partial<ReceiptItem> = {}, at = 1, fields: Record<string, unknown> = {}): Receipt {
  const { item, root } = aSetProof(at)
  const source = { party: READSET.party, reader: 'plum', reads: 3, items: 5, root }
  const disclosures = Object.entries({ type: 'read.batch', source, ...fields }).map(([name, value]) =>
    disclosure(SALT, name, value),
  )
  const payload = payloadOf(sha256, disclosures)
  const h = chainsHash(sha256, [chainDigest(sha256, OWN)])
  const leaves = leavesOf(21).with(13, leafHash(sha256, entryOf(sha256, commitment(sha256, payload), h)))
  return {
    extra: { v: 1, payload, disclosures, chains: [chainDisclosure(OWN)], item: { ...item, ...change } },
    index: 13n,
    path: auditPath(sha256, leaves, 13),
    checkpoint: KEY.note({ origin: KEY.name, size: 21n, root: treeHash(sha256, leaves) }),
  }
}

describe('each step has its name, and says why it failed', () => {
  const saidOf = (receipt: Receipt): string[] =>
    check(receipt, KEY.vkey).steps.map(({ step, result, why }) => `${step}: ${why ?? result}`)

  test('of a batch', () => {
    expect(saidOf(aReceipt())).toEqual([
      'disclosures are in the record: PASS',
      'disclosures are in the inner record: PASS',
      'the inner record is in the batch: PASS',
      'chains are canonical: PASS',
      'the checkpoint is signed by the pinned key: PASS',
      'the entry is in the signed tree: PASS',
    ])
    const [other = ''] = aRead(9).disclosures
    const inner = { ...innerOf(), disclosures: [other], size: 6 }
    const wrong = { ...aReceipt({ disclosures: [other], chain_digests: ['AAAA'], inner }), checkpoint: 'x' }
    expect(saidOf(wrong)).toEqual([
      'disclosures are in the record: a disclosure is not in the payload',
      'disclosures are in the inner record: a disclosure is not in the payload',
      'the inner record is in the batch: the batch names another root or size',
      'chains are canonical: a chain digest is malformed',
      'the checkpoint is signed by the pinned key: the note is not canonical',
      'the entry is in the signed tree: the audit path leads to another root',
    ])
    expect(check(wrong, KEY.vkey)).toMatchObject({ passed: false, fields: [], inner: [] })
  })
  test('of an item', () => {
    const name = 'the signal is in what the reader was given'
    expect(saidOf(anItemReceipt())).toContain(`${name}: PASS`)
    const why = 'its paths lead to no root that the batch has for the source'
    expect(saidOf(anItemReceipt({ salt: '!' }))).toContain(`${name}: ${why}`)
  })
})

describe('the proof of one item', () => {
  test('has the salts of the published set, and leads to its root', () => {
    const [one] = READSET.leaf_data
    expect(aSetProof(0).item.salt).toBe(toBase64Url(bytes(one ?? '').subarray(0, 32)))
    for (const at of [0, 1, 2]) {
      const { signal, revision } = READSET.items[at] ?? expect.fail('no item')
      const verified = verdict(anItemReceipt({}, at))
      expect([verified.passed, verified.steps.length]).toEqual([true, 5])
      expect(verified.item).toEqual({ signal, revision, source: READSET.party, reader: 'plum', read: 2 })
    }
  })
  test.for<[what: string, changeOf: (item: ReceiptItem) => Partial<ReceiptItem>]>([
    ['another signal', () => ({ signal: '018f6b2e-0000-7000-8000-000000000009' as Uuid })],
    ['another revision', () => ({ revision: 4 })],
    ['another salt', () => ({ salt: toBase64Url(SALT) })],
    ['a salt that is none', () => ({ salt: 'AAAA' })],
    ['another place', () => ({ index: 0 })],
    ['a place outside', () => ({ index: 3 })],
    ['no path', () => ({ path: [] })],
    ['a node too many', ({ path }) => ({ path: [...path, toBase64Url(SALT)] })],
    ['a node that is none', ({ path }) => ({ path: path.with(0, 'no hash') })],
    ['another read', ({ read }) => ({ read: { ...read, index: 3 } })],
    ['another place among the reads', ({ read }) => ({ read: { ...read, place: 0 } })],
    ['no path among the reads', ({ read }) => ({ read: { ...read, path: [] } })],
  ])('with %s is refused, and names nobody', ([, changeOf]) => {
    const verified = verdict(anItemReceipt(changeOf(aSetProof(1).item)))
    expect([failures(verified), verified.item]).toEqual([1, undefined])
  })
  test('under no part of the source that the batch opens is refused', () => {
    const source = { party: READSET.party, reader: 'plum', reads: 3, items: 5, root: toBase64Url(SALT) }
    expect(failures(verdict(anItemReceipt({}, 1, { source })))).toBe(1)
    expect(failures(verdict(anItemReceipt({}, 1, { source: { ...source, root: aSetProof(1).root, reads: 2 } })))).toBe(
      1,
    )
    expect(failures(verdict(anItemReceipt({}, 1, { type: 'tombstone.acked' })))).toBe(1)
  })
})

describe('what a batch says of its sources', () => {
  const sourceUnder = (root: string) => ({ party: READSET.party, reader: 'plum', reads: 3, items: 5, root })

  test.for<[what: string, fieldsOf: (source: ReturnType<typeof sourceUnder>) => Record<string, unknown>]>([
    ['nothing', () => ({ source: null })],
    ['a text', ({ root }) => ({ source: root })],
    ['no party', (source) => ({ source: { ...source, party: undefined } })],
    ['no reader', (source) => ({ source: { ...source, reader: 1 } })],
    ['no root', (source) => ({ source: { ...source, root: undefined } })],
    ['half a read', (source) => ({ source: { ...source, reads: 2.5 } })],
    ['a number as text', (source) => ({ source: { ...source, reads: '3' } })],
    ['what stands in another field', (source) => ({ source: null, subject: source })],
    ['what is a batch by another field alone', () => ({ type: 'tombstone.acked', reason: 'read.batch' })],
  ])('is passed over where it is %s', ([, fieldsOf]) => {
    const verified = verdict(anItemReceipt({}, 1, fieldsOf(sourceUnder(aSetProof(1).root))))
    expect([failures(verified), verified.item]).toEqual([1, undefined])
  })
})

describe('the form of a receipt', () => {
  const [head, extra, index, ...rest] = LOG.receipt.split('\n')
  const lines = (...given: (string | undefined)[]): string => [...given, ...rest].join('\n')
  const encoded = (value: unknown): string => `extra ${toBase64(utf8(JSON.stringify(value)))}`
  const value = JSON.parse(Buffer.from((extra ?? '').slice(6), 'base64').toString())
  const inner = { payload: '', disclosures: [], index: 0, size: 1, path: [] }
  const read = { index: 2, place: 1, path: ['x'] }
  const item = { signal: READSET.items[1]?.signal, revision: 2, salt: 'x', index: 1, size: 3, path: ['x'], read }
  const isRead = (text: string): boolean => parseReceipt(text) !== undefined

  test.for<[what: string, text: string]>([
    ['nothing', ''],
    ['no empty line', LOG.receipt.replaceAll('\n\n', '\n')],
    ['another header', lines('c2sp.org/tlog-proof@v2', extra, index)],
    ['no header', lines(extra, index)],
    ['a line before its header', lines('', head, extra, index)],
    ['CRLF', LOG.receipt.replaceAll('\n', '\r\n')],
    ['no extra', lines(head, index)],
    ['an empty extra', lines(head, 'extra ', index)],
    ['extra in capitals', lines(head, extra?.replace('extra', 'Extra'), index)],
    ['two extras', lines(head, extra, extra, index)],
    ['index before extra', lines(head, index, extra)],
    ['no index', lines(head, extra)],
    ['an index with a leading zero', lines(head, extra, 'index 02')],
    ['a negative index', lines(head, extra, 'index -2')],
    ['an index with a sign', lines(head, extra, 'index +2')],
    ['an index in hexadecimal', lines(head, extra, 'index 0x2')],
    ['an index of twenty digits', lines(head, extra, 'index 10000000000000000000')],
    ['something before the index', lines(head, extra, 'xindex 2')],
    ['a space after the index', lines(head, extra, 'index 2 ')],
    [
      'extra without padding',
      lines(head, `extra ${toBase64(utf8(JSON.stringify({ ...value, x: '' }))).replace(/=+$/, '')}`, index),
    ],
    ['URL-safe extra', lines(head, `${encoded(value).slice(0, -4)}-_--`, index)],
    ['extra that is not JSON', lines(head, `extra ${toBase64(utf8('{'))}`, index)],
    ['extra that is not UTF-8', lines(head, `extra ${toBase64(Uint8Array.of(0x22, 0xff, 0x22))}`, index)],
    [
      'extra with a text that is not UTF-8',
      lines(head, `extra ${toBase64(Buffer.from(JSON.stringify({ ...value, payload: '\u00ff' }), 'latin1'))}`, index),
    ],
    ['extra that is no object', lines(head, encoded([]), index)],
    ['extra that is null', lines(head, encoded(null), index)],
    ['another version', lines(head, encoded({ ...value, v: 2 }), index)],
    ['no payload', lines(head, encoded({ ...value, payload: undefined }), index)],
    ['a payload that is an object', lines(head, encoded({ ...value, payload: {} }), index)],
    ['disclosures that are no texts', lines(head, encoded({ ...value, disclosures: [1] }), index)],
    ['disclosures that are no list', lines(head, encoded({ ...value, disclosures: 'x' }), index)],
    ['no chains', lines(head, encoded({ ...value, chains: undefined }), index)],
    ['chain digests that are no list', lines(head, encoded({ ...value, chain_digests: {} }), index)],
    ['an inner record that is null', lines(head, encoded({ ...value, inner: null }), index)],
    ['an inner record without payload', lines(head, encoded({ ...value, inner: { ...inner, payload: 1 } }), index)],
    ['an inner record without index', lines(head, encoded({ ...value, inner: { ...inner, index: '0' } }), index)],
    ['an inner record at half a place', lines(head, encoded({ ...value, inner: { ...inner, index: 0.5 } }), index)],
    ['an inner record without size', lines(head, encoded({ ...value, inner: { ...inner, size: undefined } }), index)],
    ['an inner path that is no list', lines(head, encoded({ ...value, inner: { ...inner, path: 'x' } }), index)],
    ...(
      [
        ['item that is null', null],
        ['item without id', { ...item, signal: 'x' }],
        ['item without salt', { ...item, salt: 1 }],
        ['item of revision -1', { ...item, revision: -1 }],
        ['item at half a place', { ...item, index: 0.5 }],
        ['item of more than 32 bits', { ...item, size: 2 ** 32 }],
        ['item without path', { ...item, path: undefined }],
        ['item without read', { ...item, read: undefined }],
        ['item whose read has no place', { ...item, read: { index: 0, path: [] } }],
        ['item whose read has no path', { ...item, read: { index: 0, place: 0, path: 'x' } }],
      ] as const
    ).map(([what, item]): [string, string] => [what, lines(head, encoded({ ...value, item }), index)]),
    ['a node without padding', LOG.receipt.replace(/=\n/, '\n')],
    ['a node of 31 bytes', lines(head, extra, index, toBase64(new Uint8Array(31)))],
    ['a node of 33 bytes', lines(head, extra, index, toBase64(new Uint8Array(33)))],
    ['a node with loose bits', lines(head, extra, index, toBase64(new Uint8Array(32)).replace('A=', 'B='))],
    ['a node in hexadecimal', lines(head, extra, index, '00'.repeat(32))],
  ])('with %s is refused', ([, text]) => {
    expect(isRead(lines(head, encoded({ ...value, inner }), index))).toBe(true)
    for (const good of [item, { ...item, size: 2 ** 32 - 1 }])
      expect(isRead(lines(head, encoded({ ...value, item: good }), index))).toBe(true)
    expect(isRead(text)).toBe(false)
  })
  test('of anything else than an object is none, at any depth', () => {
    expect([isExtra(value), isExtra({ ...value, inner, item })]).toEqual([true, true])
    for (const other of [null, undefined, 1, 'x']) expect(isExtra(other), String(other)).toBe(false)
    for (const other of [null, 1, 'x']) {
      expect(isExtra({ ...value, inner: other }), String(other)).toBe(false)
      expect(isExtra({ ...value, item: other }), String(other)).toBe(false)
      expect(isExtra({ ...value, item: { ...item, read: other } }), String(other)).toBe(false)
    }
    expect(isExtra({ ...value, item: { ...item, signal: 1 } })).toBe(false)
  })
  test('has at most 63 nodes', () => {
    const nodes = Array.from({ length: 60 }, () => toBase64(SALT))
    expect(isRead(lines(head, extra, index, ...nodes))).toBe(true)
    expect(isRead(lines(head, extra, index, ...nodes, toBase64(SALT)))).toBe(false)
  })
  test('has less than 60,000 characters of extra, for whoever writes and whoever reads', () => {
    const padded = (length: number): string => {
      const text = JSON.stringify({ ...value, disclosures: [''] })
      return JSON.stringify({ ...value, disclosures: ['x'.repeat((length / 4) * 3 - text.length)] })
    }
    for (const [length, taken] of [
      [59_996, true],
      [60_000, false],
      [60_004, false],
    ] as const) {
      const line = `extra ${toBase64(utf8(padded(length)))}`
      expect(line.length - 'extra '.length).toBe(length)
      expect(isRead(lines(head, line, index)), String(length)).toBe(taken)
      const made = () => formatReceipt({ ...parsed(LOG.receipt), extra: JSON.parse(padded(length)) })
      if (taken) expect(made()).toBe(lines(head, line, index))
      else expect(made).toThrow(new RangeError('a receipt of 60,000 characters or more'))
    }
  })
})
