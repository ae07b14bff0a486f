import { describe, expect, test } from 'vitest'
import { sha256 } from '../../src/kernel/sha256.ts'
import { leafHash, treeHash } from '../../src/provenance/merkle.ts'
import { type Code, type Found, faultsOf, type History } from './history.ts'

/** Three submissions of apple: two fruits, a later revision of the first, and the third fruit. */
function aGoodRun(): { history: History; found: Found } {
  const steps = [
    { signal: 'fig', revision: 1, item: 'fig 1', submission: 's1' },
    { signal: 'kiwi', revision: 1, item: 'kiwi 1', submission: 's1' },
    { signal: 'fig', revision: 2, item: 'fig 2', submission: 's2' },
    { signal: 'plum', revision: 1, item: 'plum 1', submission: 's3' },
  ]
  const events = ['started', 's1', 's2', 'read', 's3']
  const leaves = events.map((event) => ({ event, c: `c of ${event}`, entry: Buffer.from(`entry of ${event}`) }))
  const headAt = (size: number) => {
    const hashes = leaves.slice(0, size).map(({ entry }) => leafHash(sha256, entry))
    return { size: BigInt(size), root: treeHash(sha256, hashes) }
  }
  return {
    history: {
      sent: steps.map(({ submission: _, ...step }) => step),
      acknowledged: steps.slice(0, 3).map(({ signal, revision }) => ({ signal, revision })),
      submissions: ['s1', 's2'],
      heads: [headAt(2), headAt(4)],
    },
    found: {
      revisions: steps,
      submissions: ['s1', 's2', 's3'],
      records: events.map((event) => ({ event, c: `c of ${event}` })),
      ...{ leaves, waiting: [], checkpoints: [headAt(1), headAt(5)] },
      feed: steps.map(({ signal, revision, submission: event }, i) => ({
        signal,
        revision,
        event,
        seq: BigInt(i + 1),
      })),
    },
  }
}

const at = <T>(items: readonly T[], i: number, change: Partial<T>): T[] =>
  items.map((item, j) => (i === j ? { ...item, ...change } : item))
const but = <T>(items: readonly T[], i: number): T[] => items.filter((_, j) => i !== j)
const again = <T>(items: readonly T[], i: number): T[] => [...items, ...items.slice(i, i + 1)]

test('a run that kept every promise has no fault', () => {
  const { history, found } = aGoodRun()
  expect(faultsOf(history, found)).toEqual([])
})

// Negative controls: a checker that finds nothing proves nothing.
describe('the checker names', () => {
  const cases: [what: string, code: Code, where: string, change: (found: Found) => Partial<Found>][] = [
    [
      'an acknowledged line that is gone',
      'acknowledged-lost',
      'kiwi 1',
      ({ revisions }) => ({ revisions: but(revisions, 1) }),
    ],
    ['a line that was never stored', 'not-durable', 'plum 1', ({ revisions }) => ({ revisions: but(revisions, 3) })],
    ['a line that is stored twice', 'stored-twice', 'fig 2', ({ revisions }) => ({ revisions: again(revisions, 2) })],
    ['other bytes', 'stored-otherwise', 'fig 1', ({ revisions }) => ({ revisions: at(revisions, 0, { item: 'fig' }) })],
    [
      'what nobody sent',
      'stored-otherwise',
      'pear 1',
      ({ revisions }) => ({ revisions: at(revisions, 0, { signal: 'pear' }) }),
    ],
    [
      'a promised submission that is gone',
      'receipt-lost',
      's2',
      ({ submissions }) => ({ submissions: but(submissions, 1) }),
    ],
    [
      'a line without its submission',
      'no-submission',
      's3',
      ({ submissions }) => ({ submissions: but(submissions, 2) }),
    ],
    ['a submission without its record', 'no-record', 's1', ({ records }) => ({ records: but(records, 1) })],
    ['a record without its leaf', 'no-leaf', 's2', ({ leaves }) => ({ leaves: but(leaves, 2) })],
    ['a record with two leaves', 'two-leaves', 's1', ({ leaves }) => ({ leaves: again(leaves, 1) })],
    ['a leaf without its record', 'leaf-without-record', 's3', ({ records }) => ({ records: but(records, 4) })],
    [
      'a leaf of another commitment',
      'leaf-without-record',
      's3',
      ({ leaves }) => ({ leaves: at(leaves, 4, { c: 'c' }) }),
    ],
    ['what still waits for its leaf', 'waiting', 's3', () => ({ waiting: ['s3'] })],
    ['a gap in the feed', 'feed-gap', '4', ({ feed }) => ({ feed: at(feed, 2, { seq: 4n }) })],
    ['a line that the feed lost', 'feed-lost', 'plum 1', ({ feed }) => ({ feed: but(feed, 3) })],
    ['a line that the feed has twice', 'feed-twice', 'fig 1', ({ feed }) => ({ feed: again(feed, 0) })],
    [
      'a feed in another order than the log',
      'feed-order',
      'kiwi 1',
      ({ feed }) => ({ feed: at(feed, 0, { event: 's2' }) }),
    ],
    [
      'a signed head of another tree',
      'fork',
      '5',
      ({ leaves }) => ({ leaves: at(leaves, 4, { entry: Buffer.from('x') }) }),
    ],
    ['a signed head of a longer tree', 'fork', '5', ({ leaves }) => ({ leaves: but(leaves, 4) })],
  ]
  test.for(cases)('%s', ([_, code, where, change]) => {
    const { history, found } = aGoodRun()
    expect(faultsOf(history, { ...found, ...change(found) })).toContainEqual({ code, at: where })
  })

  test('a head that a client kept and the log no longer continues', () => {
    const { history, found } = aGoodRun()
    const heads = [{ size: 3n, root: sha256(Buffer.from('another tree')) }]
    expect(faultsOf({ ...history, heads }, found)).toEqual([{ code: 'fork', at: '3' }])
  })

  test('a feed in another order than its source sent', () => {
    const { history, found } = aGoodRun()
    const [first, second, ...rest] = found.feed.map(({ seq: _, ...one }) => one)
    if (first === undefined || second === undefined) throw new Error('two events')
    const feed = [second, first, ...rest].map((one, i) => ({ ...one, seq: BigInt(i + 1) }))
    expect(faultsOf(history, { ...found, feed })).toEqual([{ code: 'feed-order', at: 'fig 1' }])
  })
})
