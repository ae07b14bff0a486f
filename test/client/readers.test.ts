import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AldisError } from '../../src/client/errors.ts'
import type { HistoryEntry } from '../../src/client/history.ts'
import { obtainedBy, proveReads, readersOf } from '../../src/client/readers.ts'
import { openVkey } from '../../src/client/verify.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { aLog } from './source.ts'

const NOON = '2026-03-01T12:00:00.000Z'
let seq = 0n

/** A link that says this, as it is once it was verified. */
function anEntry(fields: Record<string, unknown>, { kind = 'read.batch', at = NOON } = {}): HistoryEntry {
  seq += 1n
  const bytes = new Uint8Array(32)
  return {
    ...{ seq, link: bytes, index: seq, event: newId(new Date(at)), c: '', kind, at, leaf: bytes, line: '' },
    fields: Object.entries({ type: kind, time: at, ...fields }).map(([name, value]) => ({ name, value })),
  }
}
const part = (change: object = {}) => ({
  source: { party: 'plum', reader: 'fig', reads: 2, items: 5, root: 'r', ...change },
})
async function* each(...all: HistoryEntry[]): AsyncGenerator<HistoryEntry> {
  yield* all
}

describe('the list of readers', () => {
  test('adds up what each reader obtained, by name, from the first time to the last', async () => {
    const later = '2026-03-02T12:00:00.000Z'
    const entries = each(
      anEntry(part()),
      anEntry(part({ reader: 'apple', reads: 1, items: 1 })),
      anEntry({ od: 'x' }, { kind: 'signal.submitted' }),
      anEntry(part({ reads: 3, items: 3 }), { at: later }),
    )
    expect(await readersOf(entries, 'plum')).toEqual([
      { reader: 'apple', batches: 1, reads: 1, items: 1, first: NOON, last: NOON },
      { reader: 'fig', batches: 2, reads: 5, items: 8, first: NOON, last: later },
    ])
  })
  test('leaves out what we read of others, and not what we read of ourselves', () => {
    expect(obtainedBy(anEntry({ reader: 'plum', n: 3 }), 'plum')).toBeUndefined()
    expect(obtainedBy(anEntry({ reader: 'plum', ...part({ reader: 'plum' }) }), 'plum')?.items).toBe(5)
  })
  test.for<[what: string, fields: Record<string, unknown>]>([
    ['nothing', {}],
    ['the part of another', part({ party: 'kiwi' })],
    ['that another is its reader, and no part', { reader: 'fig' }],
    ['a part without reader', part({ reader: undefined })],
    ['a part without number', part({ items: '5' })],
    ['a part that is none', { source: null }],
  ])('is refused where a batch of reads says %s', ([, fields]) => {
    expect(() => obtainedBy(anEntry(fields), 'plum')).toThrow(expect.objectContaining({ step: 'chain readers' }))
  })
  test('is refused where a batch has two parts of ours', () => {
    const entry = anEntry(part())
    const twice = { ...entry, fields: [...entry.fields, ...entry.fields.slice(-1)] }
    expect(() => obtainedBy(twice, 'plum')).toThrow(expect.objectContaining({ step: 'chain readers' }))
  })
})

describe('the proofs of one signal', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'aldis-proofs-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const signal = newId(new Date(NOON))
  const keyOf = (log: number) => openVkey(aLog(0, `node.example.org/provenance/${log}`).vkey)
  /** The links so numbered of a log's chain, each a batch that gave out something of ours. */
  const links = (...seqs: number[]): HistoryEntry[] => seqs.map((n) => ({ ...anEntry(part()), seq: BigInt(n) }))
  /** The numbers of the links whose batches are asked. */
  async function asked(log: number, entries: readonly HistoryEntry[]): Promise<number[]> {
    const seqs: number[] = []
    const itemReceipt = async (event: string) => {
      seqs.push(Number(entries.find((entry) => entry.event === event)?.seq))
      return undefined
    }
    await proveReads(signal, {
      ...{ client: { itemReceipt }, key: keyOf(log), policy: undefined, dir, me: 'plum', entries: each(...entries) },
      compare: async () => {},
    })
    return seqs
  }

  test('are asked of each link once, and of the links of the next log although they have the same numbers', async () => {
    const first = links(1, 2, 3)
    expect(await asked(1, first)).toEqual([1, 2, 3])
    expect(await asked(1, [...first, ...links(4)])).toEqual([4])
    const next = links(1, 2)
    expect(await asked(2, next)).toEqual([1, 2])
    expect(await asked(2, [...next, ...links(3)])).toEqual([3])
    expect(await asked(1, [...first, ...links(4, 5)])).toEqual([5])
  })
  test('are asked for past a batch that the node has no proof of any more, which is told and asked again until it has one', async () => {
    const entries = links(1, 2, 3)
    const lacking = new Set([entries[1]?.event])
    async function run(): Promise<[asked: number[], lost: number[]]> {
      const [seqs, lost]: [number[], number[]] = [[], []]
      const itemReceipt = async (event: string) => {
        seqs.push(Number(entries.find((entry) => entry.event === event)?.seq))
        if (lacking.has(event as Uuid)) throw new AldisError({ code: 'not-found', title: 'none', status: 404 })
        return undefined
      }
      await proveReads(signal, {
        ...{ client: { itemReceipt }, key: keyOf(1), policy: undefined, dir, me: 'plum', entries: each(...entries) },
        ...{ compare: async () => {}, onLost: ({ entry }) => void lost.push(Number(entry.seq)) },
      })
      return [seqs, lost]
    }
    expect(await run()).toEqual([[1, 2, 3], [2]])
    expect(await run()).toEqual([[2], [2]])
    lacking.clear()
    expect([await run(), await run()]).toEqual([
      [[2], []],
      [[], []],
    ])
    const itemReceipt = () => Promise.reject(new AldisError({ code: 'busy', title: 'busy', status: 503 }))
    await expect(
      proveReads(signal, {
        ...{ client: { itemReceipt }, key: keyOf(1), policy: undefined, dir, me: 'plum', entries: each(...links(4)) },
        compare: async () => {},
      }),
    ).rejects.toMatchObject({ code: 'busy' })
  })
  test('are asked anew where it was not noted of which log the last link is', async () => {
    mkdirSync(join(dir, 'proofs', signal), { recursive: true })
    writeFileSync(join(dir, 'proofs', signal, 'asked.json'), JSON.stringify({ seq: '9', proofs: [] }))
    expect(await asked(1, links(1, 2))).toEqual([1, 2])
  })
})
