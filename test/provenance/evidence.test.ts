import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import {
  type Evidence,
  evidenceOf,
  formatEvidence,
  judgeEvidence,
  parseEvidence,
} from '../../src/provenance/evidence.ts'
import { aTree, log, ORIGIN } from '../witness/tree.ts'
import { aKey, vkeyText } from './signing.ts'

const [mine, theirs] = [aTree('plum'), aTree('fig')]
const vkey = vkeyText(log.name, log.publicKey)
const proven = (): Evidence => evidenceOf(vkey, mine.note(5), theirs.note(5))
const judge = (evidence: Evidence, key = log.vkey) =>
  judgeEvidence(evidence, { hash: sha256, key, verify: verifyEd25519 })

describe('evidence', () => {
  test('of two trees of one size is proof, in either order', () => {
    expect(proven().path).toEqual([])
    expect(judge(proven())).toEqual({ outcome: 'proven', why: 'the log signed two trees of size 5' })
    expect(judge(evidenceOf(vkey, theirs.note(5), mine.note(5))).outcome).toBe('proven')
  })
  test('of two sizes is a claim, which a proof that holds refutes', async () => {
    const path = await mine.proof(3, 5)
    expect(judge(evidenceOf(vkey, mine.note(3), mine.note(5))).outcome).toBe('claimed')
    expect(judge(evidenceOf(vkey, mine.note(3), theirs.note(5), path)).outcome).toBe('claimed')
    expect(judge(evidenceOf(vkey, mine.note(3), mine.note(5), path)).outcome).toBe('none')
    expect(judge(evidenceOf(vkey, mine.note(5), mine.note(3), path)).outcome).toBe('none')
  })
  test('of one tree twice, of another key, or of a note that nobody signed, is none', () => {
    const stranger = aKey(ORIGIN, new Uint8Array(32).fill(8))
    expect(judge(evidenceOf(vkey, mine.note(5), mine.note(5))).outcome).toBe('none')
    expect(judge(proven(), stranger.vkey).outcome).toBe('none')
    expect(judge(evidenceOf(vkey, mine.note(5), theirs.note(5, stranger))).outcome).toBe('none')
    expect(judge(evidenceOf(vkey, mine.note(5).replace('\n5\n', '\n6\n'), theirs.note(5))).outcome).toBe('none')
    expect(judge({ ...proven(), vkey: 'pear' }).outcome).toBe('none')
  })
  test('says what it shows', async () => {
    const why = (evidence: Evidence, key = log.vkey) => judge(evidence, key).why
    const foreign = 'it is about another key than the pinned one'
    const renamed = aKey('fig.example', new Uint8Array(32).fill(1))
    expect(why(proven(), aKey(ORIGIN, new Uint8Array(32).fill(8)).vkey)).toBe(foreign)
    expect(why({ ...proven(), vkey: vkeyText(renamed.name, log.publicKey) })).toBe(foreign)
    expect(why({ ...proven(), vkey: 'pear' })).toBe(foreign)
    expect(why({ ...proven(), notes: ['x', theirs.note(5)] })).toBe('the first note: the note is not canonical')
    expect(why({ ...proven(), notes: [mine.note(5), 'x'] })).toBe('the second note: the note is not canonical')
    expect(why(evidenceOf(vkey, mine.note(5), mine.note(5)))).toBe('both notes are of the same tree')
    const path = await mine.proof(3, 5)
    expect(why(evidenceOf(vkey, mine.note(5), mine.note(3), path))).toBe(
      'the proof holds: one tree continues the other',
    )
    expect(why(evidenceOf(vkey, mine.note(5), theirs.note(3)))).toBe(
      'the proof from size 3 to 5 fails; if the log can give no other, it was rewritten',
    )
    expect(judge({ ...evidenceOf(vkey, mine.note(3), mine.note(5)), path: ['no base64'] }).outcome).toBe('claimed')
  })
  test('is read up to 63 nodes and 65,536 characters', () => {
    const full = { ...proven(), path: Array.from({ length: 63 }, () => 'AA==') }
    expect(parseEvidence(formatEvidence(full))).toEqual(full)
    const text = formatEvidence(proven())
    expect(parseEvidence(text.padEnd(65_536))).toEqual(proven())
    expect(parseEvidence(text.padEnd(65_537))).toBeUndefined()
  })
  test('is a file that is read as it was written', async () => {
    const claimed = evidenceOf(vkey, mine.note(3), theirs.note(5), await theirs.proof(3, 5))
    for (const one of [proven(), claimed]) expect(parseEvidence(formatEvidence(one))).toEqual(one)
  })
  test.for<[string, (value: Record<string, unknown>) => object]>([
    ['of another version', (value) => ({ ...value, v: 2 })],
    ['with a number for its key', (value) => ({ ...value, vkey: 1 })],
    ['with a number for a note', (value) => ({ ...value, notes: [proven().notes[0], 1] })],
    ['with something more', (value) => ({ ...value, more: 1 })],
    ['with one note', (value) => ({ ...value, notes: [proven().notes[0]] })],
    ['with three notes', (value) => ({ ...value, notes: [...proven().notes, proven().notes[0]] })],
    ['without path', ({ v, vkey: key, notes }) => ({ v, vkey: key, notes })],
    ['with a path of numbers', (value) => ({ ...value, path: [1] })],
    ['with a path that is too long', (value) => ({ ...value, path: Array.from({ length: 64 }, () => 'AA==') })],
  ])('%s is not read', ([_, change]) => {
    expect(parseEvidence(JSON.stringify(change(JSON.parse(formatEvidence(proven())))))).toBeUndefined()
  })
  test('that is any other text is not read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseEvidence(text)).toBeUndefined()
      }),
    )
  })
})
