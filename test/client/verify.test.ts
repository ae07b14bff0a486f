import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Received } from '../../src/client/client.ts'
import { VerificationFailed } from '../../src/client/errors.ts'
import {
  advanceHead,
  checkReceipt,
  createVerifier,
  isOf,
  openHead,
  openVkey,
  readName,
} from '../../src/client/verify.ts'
import { toBase64, toBase64Url } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { chainsHash, entryOf } from '../../src/provenance/chain.ts'
import { commitment } from '../../src/provenance/commitment.ts'
import { formatReceipt } from '../../src/provenance/receipt.ts'
import { itemLeaf, payloadText } from '../../src/signals/submission.ts'
import { leafOf, pathOf } from '../provenance/definition.ts'
import { disclosure, payloadOf } from '../provenance/disclosures.ts'
import { anItem, aWithdrawal, encoded, idOf, textOf } from '../signals/factory.ts'
import { aLog, aNode, aSource, received, type Told } from './source.ts'

const apple = aSource('apple')
const cherry = aSource('cherry')
const node = aNode()

const verifier = () => createVerifier([apple.info, cherry.info], node.home)
const items = (n: number): string[] => Array.from({ length: n }, () => textOf(anItem()))
const one = async (item: string = textOf(anItem()), told: Told = {}): Promise<Received> => {
  const [first] = await received(node, apple, [item], told)
  if (first === undefined) throw new Error('no event')
  return first
}

/** The step at which an event is refused. */
function stepOf(event: Received, by = verifier()): string {
  try {
    by.event(event)
  } catch (error) {
    if (error instanceof VerificationFailed) return error.step
    throw error
  }
  return 'verified'
}

describe('an end that nobody signed', () => {
  const unsigned = async (change: object): Promise<Received> => {
    const { event } = await one()
    const { index: _, salt: __, item: ___, path: ____, ...rest } = event
    return { event: { ...rest, ...change }, proof: undefined }
  }
  test('is attested where the node says that a person of the source decided it', async () => {
    const event = await unsigned({ type: 'signal.withdrawn', reason: 'attested' })
    expect(verifier().event(event)).toMatchObject({ authority: 'attested', item: undefined })
  })
  test.each(['signal.created', 'signal.revised', 'signal.released', 'signal.held', 'signal.expired'])(
    'is none where it is %s: a person’s word only ends',
    async (type) => {
      expect(stepOf(await unsigned({ type, reason: 'attested' }))).toBe('event')
    },
  )
  test('is not attested where it has an item that its source did not sign', async () => {
    const { event } = await one(textOf(aWithdrawal({ revision: 2 })))
    expect(stepOf({ event: { ...event, type: 'signal.withdrawn', reason: 'attested' }, proof: undefined })).toBe(
      'source',
    )
  })
})

describe('an event that its source signed', () => {
  test('is verified with the item as it was signed, each of a submission for itself', async () => {
    for (const n of [1, 2, 3, 5, 8]) {
      const texts = items(n)
      const events = await received(node, apple, texts)
      const by = verifier()
      for (const [i, event] of events.entries()) {
        expect(by.event(event)).toEqual({ event: event.event, authority: 'origin', item: JSON.parse(texts[i] ?? '') })
      }
    }
  })

  test('is verified though it comes without the others, and between those of other submissions', async () => {
    const [mine, theirs] = [await received(node, apple, items(3)), await received(node, cherry, items(2))]
    const by = verifier()
    for (const event of [mine[2], theirs[0], mine[0], theirs[1], mine[1]])
      expect(event === undefined ? '' : by.event(event).authority).toBe('origin')
  })

  test('may be a revision or a withdrawal, and signed with P-256', async () => {
    const plum = aSource('plum', 'ES256')
    const by = createVerifier([plum.info], node.home)
    const [revision] = await received(node, plum, [textOf(anItem({ revision: 2, prev: 'A'.repeat(43) }))])
    const [end] = await received(node, plum, [textOf(aWithdrawal())], { typ: 'aldis-withdrawal+jws' })
    expect([revision, end].map((event) => (event === undefined ? '' : stepOf(event, by)))).toEqual([
      'verified',
      'verified',
    ])
  })

  test('is verified by any key of the source that the node lists', async () => {
    const older = aSource('apple')
    const info = { ...apple.info, signing_keys: [...apple.info.signing_keys, ...older.info.signing_keys] }
    const [event] = await received(node, { ...older, info }, items(1))
    expect(event === undefined ? '' : stepOf(event, createVerifier([info], node.home))).toBe('verified')
  })
})

test('an event without an item is the word of the node, and said to be so', async () => {
  const { event } = await one()
  const { item: _, index: _index, salt: _salt, path: _path, ...said } = event
  const expired = { ...said, type: 'signal.expired', reason: 'expired' }
  expect(verifier().event({ event: expired, proof: undefined })).toEqual({
    event: expired,
    authority: 'node',
    item: undefined,
  })
})

describe('an event is refused', () => {
  let good: Received[]
  let other: Received[]
  beforeAll(async () => {
    good = await received(node, apple, items(3))
    other = await received(node, apple, items(3))
  })

  /** The second event of three, with other members. */
  function changed(event: Partial<Received['event']>, proof: Partial<NonNullable<Received['proof']>> = {}): Received {
    const [, mine] = good
    if (mine?.proof === undefined) throw new Error('no event')
    return { event: { ...mine.event, ...event }, proof: { ...mine.proof, ...proof } }
  }
  const foreign = () => {
    const [, found] = other
    if (found?.proof === undefined) throw new Error('no event')
    return { event: found.event, proof: found.proof }
  }

  test('in no part, if nothing was changed', () => {
    expect(stepOf(changed({}))).toBe('verified')
  })

  test.for<[string, () => Received]>([
    ['with another item', () => changed({ item: foreign().event.item ?? '' })],
    ['with an item of one more blank', () => changed({ item: `${good[1]?.event.item} ` })],
    ['with the salt of another', () => changed({ salt: good[0]?.event.salt ?? '' })],
    ['with a salt of another length', () => changed({ salt: 'AAAA' })],
    ['at another place', () => changed({ index: 0 })],
    ['at no place', () => changed({ index: 0.5 })],
    ['before the first place', () => changed({ index: -1 })],
    ['beyond the last place', () => changed({ index: 3 })],
    ['with the path of another', () => changed({ path: good[0]?.event.path ?? '' })],
    ['with half a path', () => changed({ path: good[1]?.event.path?.slice(0, 43) ?? '' })],
    ['with a path of loose bytes', () => changed({ path: 'AAAA' })],
    ['of a submission of another size', () => changed({}, { count: 2 })],
    ['of a submission of no size', () => changed({}, { count: 0 })],
    ['of another submission', () => changed({}, { jws: foreign().proof.jws })],
    ['with the root of another', () => changed({}, { jws: { ...mineJws(), payload: foreign().proof.jws.payload } })],
    [
      'with the signature of another',
      () => changed({}, { jws: { ...mineJws(), signature: foreign().proof.jws.signature } }),
    ],
    [
      'with the header of another',
      () => changed({}, { jws: { ...mineJws(), protected: foreign().proof.jws.protected } }),
    ],
    ['with a header that is no JSON', () => changed({}, { jws: { ...mineJws(), protected: encoded('pear') } })],
    ['with a header that is null', () => changed({}, { jws: { ...mineJws(), protected: encoded('null') } })],
    ['with a header that is a list', () => changed({}, { jws: { ...mineJws(), protected: encoded([]) } })],
    ['without a header', () => changed({}, { jws: { ...mineJws(), protected: '' } })],
    ['in the name of another source', () => changed({ source: 'cherry' })],
    ['of a source that is not listed', () => changed({ source: 'robin' })],
  ])('%s', ([, make]) => {
    expect(stepOf(make())).toBe('source')
  })

  test.for<[string, () => Received, string]>([
    ['without its submission', () => ({ event: changed({}).event, proof: undefined }), 'source'],
    ['for another signal', () => changed({ signal: idOf(7) }), 'event'],
    ['for another revision', () => changed({ revision: 2 }), 'event'],
    ['as the end of what it signed alive', () => changed({ type: 'signal.withdrawn' }), 'event'],
    ['as an end by the node that it signed alive', () => changed({ type: 'signal.expired' }), 'event'],
    ['as an act that nobody knows', () => changed({ type: 'signal.pear' }), 'event'],
  ])('%s', ([, make, step]) => {
    expect(stepOf(make())).toBe(step)
  })

  const mineJws = () => {
    const [, mine] = good
    if (mine?.proof === undefined) throw new Error('no event')
    return mine.proof.jws
  }

  test('as alive if its source signed the end', async () => {
    expect(stepOf(await one(textOf(aWithdrawal()), { typ: 'aldis-withdrawal+jws', type: 'signal.revised' }))).toBe(
      'event',
    )
  })

  test('by any character of what proves it', () => {
    const members = [
      'item',
      'salt',
      'path',
      'protected',
      'payload',
      'signature',
      'acknowledged',
      'acknowledgement',
    ] as const
    fc.assert(
      fc.property(fc.constantFrom(...members), fc.nat(), fc.nat(), (member, place, put) => {
        const { event, proof } = changed({})
        if (proof === undefined) throw new Error('no proof')
        // Not the last: its low bits may be padding, which another test has.
        const spoil = (text = ''): string => {
          const at = place % (text.length - 1)
          const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
          const turned = alphabet[(alphabet.indexOf(text.charAt(at)) + 1 + (put % 63)) % 64]
          return text.slice(0, at) + turned + text.slice(at + 1)
        }
        const { jws, countersignature } = proof
        const spoilt: Record<(typeof members)[number], () => Received> = {
          item: () => ({ event: { ...event, item: spoil(event.item) }, proof }),
          salt: () => ({ event: { ...event, salt: spoil(event.salt) }, proof }),
          path: () => ({ event: { ...event, path: spoil(event.path) }, proof }),
          protected: () => ({ event, proof: { ...proof, jws: { ...jws, protected: spoil(jws.protected) } } }),
          payload: () => ({ event, proof: { ...proof, jws: { ...jws, payload: spoil(jws.payload) } } }),
          signature: () => ({ event, proof: { ...proof, jws: { ...jws, signature: spoil(jws.signature) } } }),
          acknowledged: () => ({
            event,
            proof: {
              ...proof,
              countersignature: { ...countersignature, protected: spoil(countersignature.protected) },
            },
          }),
          acknowledgement: () => ({
            event,
            proof: {
              ...proof,
              countersignature: { ...countersignature, signature: spoil(countersignature.signature) },
            },
          }),
        }
        const after = verifier()
        after.event({ event, proof })
        // Nor is anything taken on trust because the good one came just before.
        for (const by of [verifier(), after])
          expect(['source', 'countersignature']).toContain(stepOf(spoilt[member](), by))
      }),
      { numRuns: 300 },
    )
  })

  test.for<[string, Told]>([
    ['in the name of another participant', { iss: cherry.info.uri }],
    ['for another node', { aud: 'https://other.example.org' }],
    ['for another programme', { prg: 'aviary' }],
  ])('if it is signed %s', async ([, told]) => {
    expect(stepOf(await one(undefined, told))).toBe('source')
  })

  test('if the node does not list the key', async () => {
    const stranger = aSource('apple')
    const [event] = await received(node, stranger, items(1))
    expect(event === undefined ? '' : stepOf(event)).toBe('source')
  })

  test('if the key is listed for another source only', async () => {
    const [event] = await received(node, { ...cherry, info: apple.info }, items(1))
    expect(event === undefined ? '' : stepOf(event)).toBe('source')
  })

  test('if the key is listed as one of another algorithm', async () => {
    const signing_keys = apple.info.signing_keys.map((key) => ({ ...key, alg: 'ES256' }))
    const by = createVerifier([{ ...apple.info, signing_keys }], node.home)
    expect(stepOf(await one(), by)).toBe('source')
  })

  test('if the key is listed under a name that is not its thumbprint', async () => {
    const stranger = aSource('apple')
    const signing_keys = stranger.info.signing_keys.map((key) => ({ ...key, kid: apple.key.kid }))
    const by = createVerifier([{ ...apple.info, signing_keys }], node.home)
    const [event] = await received(node, { ...apple, key: { ...stranger.key, kid: apple.key.kid } }, items(1))
    expect(event === undefined ? '' : stepOf(event, by)).toBe('source')
  })

  test('if another node countersigned it', async () => {
    const [event] = await received(aNode(), apple, items(1))
    expect(event === undefined ? '' : stepOf(event)).toBe('countersignature')
  })

  test('though the one before it of its submission was verified', () => {
    const by = verifier()
    expect(stepOf(changed({}), by)).toBe('verified')
    expect(stepOf(changed({}, { count: 2 }), by)).toBe('source')
    expect(stepOf(changed({}, { jws: { ...mineJws(), payload: foreign().proof.jws.payload } }), by)).toBe('source')
    expect(stepOf(changed({}, { jws: { ...mineJws(), signature: foreign().proof.jws.signature } }), by)).toBe('source')
    expect(stepOf(changed({ source: 'cherry' }), by)).toBe('source')
    expect(stepOf(changed({}), by)).toBe('verified')
  })

  test('under a key that did not sign it, though another of the same id did', () => {
    const signing_keys = cherry.info.signing_keys.map((key) => ({ ...key, kid: apple.key.kid }))
    const twin = { ...cherry.info, uri: apple.info.uri, signing_keys }
    const by = createVerifier([apple.info, twin], node.home)
    expect(stepOf(changed({}), by)).toBe('verified')
    expect(stepOf(changed({ source: 'cherry' }), by)).toBe('source')
  })

  test('that stands in a tree of its own under a signature that was verified', () => {
    const by = verifier()
    expect(stepOf(changed({}), by)).toBe('verified')
    const { event } = changed({})
    const item = textOf(anItem({ signal: event.signal }))
    const root = itemLeaf(Buffer.from(event.salt ?? '', 'base64url'), item)
    const jws = { ...mineJws(), payload: encoded(payloadText(1, root)) }
    expect(stepOf(changed({ item, index: 0, path: '' }, { jws, count: 1 }), by)).toBe('source')
  })

  test.for<[string, string]>([
    ['is no JSON', `{"signal":"${idOf(7)}","revision":1`],
    ['says one thing twice', `{"signal":"${idOf(7)}","revision":1,"tlp":"red","tlp":"green"}`],
    ['says in escapes what it said before', `{"signal":"${idOf(7)}","revision":1,"\\u0074lp":"red","tlp":"green"}`],
    ['is a list', '[]'],
    ['is null', 'null'],
  ])('if what its source signed %s', async ([, item]) => {
    expect(stepOf(await one(item, { names: { signal: idOf(7), revision: 1 } }))).toBe('event')
  })
})

describe("a log's key", () => {
  test('is read with blanks around it', () => {
    const { vkey } = aLog(0)
    expect(openVkey(`\n${vkey}\n`).name).toBe('node.example.org/log')
  })

  test.for(['', 'pear', 'node.example.org/log+00000000+AAAA'])('%j is none', (text) => {
    expect(() => openVkey(text)).toThrow(expect.objectContaining({ step: 'log key' }))
  })

  test('whose id is of another key is none', () => {
    const [name, , key] = aLog(0).vkey.split('+')
    expect(() => openVkey([name, '00000000', key].join('+'))).toThrow(expect.objectContaining({ step: 'log key' }))
  })
})

describe('a head', () => {
  test('is the size and root that the key of the log signed', () => {
    const log = aLog(5)
    const note = log.checkpoint()
    const head = openHead(note, openVkey(log.vkey))
    expect([head.note, head.size, head.root.length]).toEqual([note, 5n, 32])
  })

  test.for<[string, (note: string) => string]>([
    ['of another size', (note) => note.replace('\n5\n', '\n6\n')],
    ['cut short', (note) => note.slice(0, -2)],
    ['without a signature', (note) => `${note.split('\n\n')[0]}\n\n`],
    ['of no text', () => ''],
  ])('%s is refused', ([, change]) => {
    const log = aLog(5)
    expect(() => openHead(change(log.checkpoint()), openVkey(log.vkey))).toThrow(
      expect.objectContaining({ step: 'checkpoint' }),
    )
  })

  test('that another log signed, of the same name or another, is refused', () => {
    const { vkey } = aLog(5)
    for (const log of [aLog(5), aLog(5, 'other.example.org/log')])
      expect(() => openHead(log.checkpoint(), openVkey(vkey))).toThrow(expect.objectContaining({ step: 'checkpoint' }))
  })
})

describe('of two heads', () => {
  const log = aLog(9)
  const head = (size: number, of = log) => openHead(of.checkpoint(size), openVkey(of.vkey))
  const path = async (from: bigint, to: bigint) => log.consistency(Number(from), Number(to))
  const never = async (): Promise<string[]> => expect.unreachable('nothing is asked')
  const INCONSISTENT = expect.objectContaining({ step: 'consistency' })

  test('the first one known is taken as it is', async () => {
    const next = head(4)
    expect(await advanceHead(undefined, next, never)).toBe(next)
  })

  test('the newer one is kept once it continues the older, in whichever order they come', async () => {
    for (let from = 1; from <= 9; from++) {
      for (let to = from + 1; to <= 9; to++) {
        const [older, newer] = [head(from), head(to)]
        expect(await advanceHead(older, newer, path)).toBe(newer)
        expect(await advanceHead(newer, older, path)).toBe(newer)
      }
    }
  })

  test('of one size and root, or after an empty log, nothing is asked', async () => {
    const next = head(4)
    expect(await advanceHead(head(4), next, never)).toBe(next)
    const [none, some] = [head(0), head(3)]
    expect(await advanceHead(none, some, never)).toBe(some)
  })

  test('of one size and two roots neither is kept', async () => {
    const fork = openHead(log.checkpoint(4), openVkey(log.vkey))
    const other = { ...fork, root: fork.root.map((byte) => byte ^ 1) }
    await expect(advanceHead(head(4), other, never)).rejects.toThrow(INCONSISTENT)
  })

  test('a log that was rewritten is noticed, whatever path it gives', async () => {
    const rewritten = aLog(9)
    rewritten.leaves[2] = leafOf(Buffer.from('another'))
    const next = openHead(rewritten.checkpoint(9), openVkey(rewritten.vkey))
    const theirs = async (from: bigint, to: bigint) => rewritten.consistency(Number(from), Number(to))
    for (const size of [3, 4, 5, 8]) {
      await expect(advanceHead(head(size), next, theirs)).rejects.toThrow(INCONSISTENT)
      await expect(advanceHead(head(size), next, path)).rejects.toThrow(INCONSISTENT)
      await expect(advanceHead(next, head(size), path)).rejects.toThrow(INCONSISTENT)
    }
    // The first two leaves are the same: between them nothing was rewritten.
    await expect(advanceHead(head(2), next, theirs)).resolves.toBe(next)
  })

  test.for<[string, (nodes: string[]) => string[]]>([
    ['is empty', () => []],
    ['lacks a node', (nodes) => nodes.slice(1)],
    ['has a node too many', (nodes) => [...nodes, toBase64(new Uint8Array(32))]],
    ['has a node that is no base64', (nodes) => ['?', ...nodes.slice(1)]],
    ['has a short node', (nodes) => ['AAAA', ...nodes.slice(1)]],
  ])('a path that %s proves nothing', async ([, change]) => {
    const spoilt = async (from: bigint, to: bigint) => change(await path(from, to))
    await expect(advanceHead(head(3), head(7), spoilt)).rejects.toThrow(INCONSISTENT)
  })
})

describe('a receipt', () => {
  const disclosures = [
    disclosure(new Uint8Array(16), 'type', 'signal.submitted'),
    disclosure(new Uint8Array(16), 'actor', 'apple'),
  ]
  const payload = payloadOf(sha256, disclosures)
  const extra = { v: 1 as const, payload, disclosures, chains: [] }
  const log = aLog(6)
  log.leaves[4] = leafOf(entryOf(sha256, commitment(sha256, payload), chainsHash(sha256, [])))
  const text = formatReceipt({ extra, index: 4n, path: pathOf(4, log.leaves), checkpoint: log.checkpoint() })

  test('is checked with the key of the log alone', () => {
    const { passed, fields, size, index } = checkReceipt(text, openVkey(log.vkey))
    expect([passed, size, index]).toEqual([true, 6n, 4n])
    expect(fields).toEqual([
      { name: 'type', value: 'signal.submitted' },
      { name: 'actor', value: 'apple' },
    ])
  })

  test('does not pass under another key', () => {
    expect(checkReceipt(text, openVkey(aLog(6).vkey)).passed).toBe(false)
  })

  test('that cannot be read is refused', () => {
    for (const bad of ['', 'pear', text.slice(1), text.replace('index 4', 'index 04')])
      expect(() => checkReceipt(bad, openVkey(log.vkey))).toThrow(expect.objectContaining({ step: 'receipt' }))
  })

  test('is of the record that was promised, or of another', () => {
    const promised = toBase64Url(commitment(sha256, payload))
    expect(isOf(text, promised)).toBe(true)
    expect(isOf(text, toBase64Url(commitment(sha256, `${payload} `)))).toBe(false)
    expect(isOf('pear', promised)).toBe(false)
  })

  test('of a read is of its inner record', () => {
    const inner = { payload: payloadOf(sha256, []), disclosures: [], index: 0, size: 1, path: [] }
    const ofRead = formatReceipt({ extra: { ...extra, inner }, index: 4n, path: [], checkpoint: log.checkpoint() })
    expect(isOf(ofRead, toBase64Url(commitment(sha256, inner.payload)))).toBe(true)
    expect(isOf(ofRead, toBase64Url(commitment(sha256, payload)))).toBe(false)
  })
})

describe('the name of a read', () => {
  const c = toBase64Url(sha256(Buffer.from('pear')))

  test('is row, place and commitment', () => {
    expect(readName(`${idOf(7)}.12 ${c}`)).toEqual({ id: idOf(7), place: '12', c })
  })

  test.for([
    '',
    `${idOf(7)} ${c}`,
    `${idOf(7)}.x ${c}`,
    `${idOf(7)}.1 ${c}A`,
    `${idOf(7)}.1`,
    ` ${idOf(7)}.1 ${c}`,
    `${idOf(7)}.1 ${c}\n`,
  ])('is not %j', (header) => {
    expect(readName(header)).toBeUndefined()
  })

  test('has one form only', () => {
    expect(readName(`${idOf(7)}.1 ${'A'.repeat(42)}B`)).toBeUndefined()
  })
})

test('a source whose listed key cannot be one is refused with its events', async () => {
  const { publicKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const [key] = apple.info.signing_keys
  if (key === undefined) throw new Error('no key')
  const jwk = { kty: 'OKP' as const, crv: 'Ed25519' as const, x: x.slice(0, 20) }
  const by = createVerifier([{ ...apple.info, signing_keys: [{ ...key, jwk }] }], node.home)
  expect(stepOf(await one(), by)).toBe('source')
})
