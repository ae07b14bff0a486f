import { describe, expect, test } from 'vitest'
import { concat, toBase64Url, u32, utf8 } from '../../src/kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { disclosuresOf } from '../../src/provenance/events.ts'
import { leafHash, treeHash } from '../../src/provenance/merkle.ts'
import { changesRoot, type SignalChange } from '../../src/provenance/signal-change.ts'
import { apply, type Judged, type Standing } from '../../src/signals/apply.ts'
import { expiryEvent, submissionEvent } from '../../src/signals/event.ts'
import { SIGNAL_STATE, SIGNAL_TYPE } from '../../src/signals/schema.ts'
import type { SubmissionType, VerifiedSubmission } from '../../src/signals/submission.ts'
import { AUDIENCE, anItem, aWithdrawal, DAY, idOf, NOON } from './factory.ts'

const [EVENT, APPLE] = [idOf(1), idOf(2)]
const told = {
  ...{ event: EVENT, participant: APPLE, slug: 'apple', credential: idOf(77), now: NOON },
  categorySlug: (id: number) => ({ 3: 'grooming', 10: 'network_hub' })[id] ?? String(id),
}
const leaf = (n: number): Buffer => Buffer.from(sha256(utf8(String(n))))
const leaves = [0, 1, 2, 3].map(leaf)

const verified = (typ: SubmissionType): VerifiedSubmission => ({
  header: { alg: 'Ed25519', kid: 'k', typ, iss: 'i', aud: 'a', prg: 'p', iat: 0, jti: 'j' },
  ...{ od: leaf(9), leaves, root: treeHash(sha256, leaves) },
})
const standing = (n: number): [Uuid, Standing] => [
  idOf(n),
  {
    ...{ signal_id: idOf(n), signal_key: leaf(n), type: SIGNAL_TYPE.url, profile: 'url/1', category: 10, revision: 1 },
    ...{ audience_id: AUDIENCE, state: SIGNAL_STATE.live, leaf: leaf(50), last_event: idOf(0) },
    expires_at: new Date(NOON.getTime() + DAY),
  },
]

function eventOf(typ: SubmissionType, judged: readonly Judged[], before: [Uuid, Standing][] = []) {
  const applied = apply(judged, new Map(before), { event: EVENT, leaves, now: NOON })
  return submissionEvent(told, { verified: verified(typ), judged, applied })
}

const signal = (n: number, change: object = {}, prev?: Uint8Array): Judged => ({
  ...{ outcome: 'signal', key: leaf(n), profile: 'url/1', category: 3, prev },
  item: anItem({ signal: idOf(n), ...change }),
})
const withdrawal = (n: number, reason: string): Judged => ({
  ...{ outcome: 'withdrawal', prev: leaf(50) },
  item: aWithdrawal({ signal: idOf(n), reason }),
})
const region = (code: string) => ({ context: { ...anItem().context, region: code } })

/** What the first two of its items make of their signals. */
const CHANGES = [11, 12].map((n, index): SignalChange => {
  const { audience, category, expires_at } = anItem()
  const state = { state: 'live', type: 'url', category, audience, expires_at: new Date(expires_at).toISOString() }
  return { index, signal: idOf(n), revision: 1, ...state, leaf: toBase64Url(leaf(index)) }
})

describe('the event of a submission', () => {
  test('holds digests and counts of what was accepted, names in order', () => {
    const event = eventOf('aldis-signal+jws', [
      signal(11, { ...region('FR'), basis: 'automated' }),
      signal(12, region('DE')),
      signal(13, { ...region('IT'), revision: 4 }, leaf(1)),
      { outcome: 'refused', code: 'tlp-refused', pointer: '/tlp' },
    ])
    expect(event).toEqual({
      ...{ kind: 'signal.submitted', event_id: EVENT, participant_id: APPLE, at: NOON, actor: 'apple' },
      fields: {
        ...{ od: toBase64Url(leaf(9)), root: toBase64Url(treeHash(sha256, leaves)), n: 4, refused: 2 },
        ...{ types: { url: 2 }, categories: { grooming: 2 }, region: { DE: 1, FR: 1 } },
        basis: { automated: 1, human_reviewed: 1 },
        ...{ cred: idOf(77), kid: 'k', accepted: toBase64Url(changesRoot(sha256, CHANGES)) },
      },
    })
    expect(Object.keys((event.fields as { region: object }).region)).toEqual(['DE', 'FR'])
  })
  test('is a revision as soon as one item is', () => {
    const { kind } = eventOf(
      'aldis-signal+jws',
      [signal(12), signal(11, { revision: 2 }, leaf(50))],
      [[idOf(11), { ...standing(11)[1] }]],
    )
    expect(kind).toBe('signal.revised')
  })
  test('of withdrawals counts the reasons of those that ended something', () => {
    const judged = [withdrawal(11, 'mistaken'), withdrawal(12, 'legal'), withdrawal(13, 'outdated')]
    const { kind, fields } = eventOf('aldis-withdrawal+jws', judged, [standing(11), standing(12)])
    expect({ kind, fields }).toMatchObject({
      ...{ kind: 'signal.withdrawn' },
      fields: { refused: 1, reasons: { legal: 1, mistaken: 1 }, types: { url: 2 }, categories: { network_hub: 2 } },
    })
    expect(fields['reasons']).toEqual({ legal: 1, mistaken: 1 })
    expect(fields).not.toHaveProperty('region')
  })
  test('has no field that the log does not know', () => {
    expect(() => disclosuresOf(eventOf('aldis-signal+jws', [signal(11)]))).not.toThrow()
    expect(() =>
      disclosuresOf(eventOf('aldis-withdrawal+jws', [withdrawal(11, 'legal')], [standing(11)])),
    ).not.toThrow()
  })
})

describe('the event of an expiry', () => {
  const ended = [
    { signal_id: idOf(5), revision: 1, type: SIGNAL_TYPE.url, category: 3 },
    { signal_id: idOf(6), revision: 4, type: SIGNAL_TYPE.phone, category: 3 },
  ]
  const event = expiryEvent(told, ended)

  test("is the node's, about the source, with a root over what ended", () => {
    const hashes = ended.map(({ signal_id, revision }) => leafHash(sha256, concat(uuidBytes(signal_id), u32(revision))))
    expect(event).toEqual({
      ...{ kind: 'signal.expired', event_id: EVENT, participant_id: APPLE, at: NOON, subject: 'apple' },
      fields: {
        ...{ rule: 'expires_at', n: 2, root: toBase64Url(treeHash(sha256, hashes)) },
        ...{ types: { phone: 1, url: 1 }, categories: { grooming: 2 } },
      },
    })
  })
  test('has no field that the log does not know', () => {
    expect(() => disclosuresOf(event)).not.toThrow()
  })
})
