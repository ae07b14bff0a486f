import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Received } from '../../src/client/client.ts'
import { mirrorLines } from '../../src/client/mirror-lines.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { anItem, NOON, textOf } from '../signals/factory.ts'
import { aNode, aSource, FEED, received, type TestSource } from './source.ts'

/** A participant's folder whose mirror a test fills, as `aldis sync` leaves it. */
export interface MirrorFolder {
  home: string
  /** What a source says in one submission: items, or ends of signals. */
  says(source: TestSource, items: readonly object[], told?: { feed?: Uuid; type?: string; prg?: string }): Promise<void>
  /** What the node says of a signal by itself. */
  nodeSays(type: string, of: { source: string; signal: Uuid; revision?: number; feed?: Uuid; at?: Date }): void
  /** Path of a feed's file. */
  file(feed?: Uuid): string
}

const node = aNode()
export const apple = aSource('apple')
export const banana = aSource('banana')

export function aMirror(home: string): MirrorFolder {
  const places = new Map<Uuid, { cursor: string; seq: string; bytes: number }>()
  const file = (feed: Uuid = FEED): string => join(home, 'feeds', `${feed}.ndjson`)
  const seqOf = (feed: Uuid): number => Number(places.get(feed)?.seq ?? 0)
  const append = (feed: Uuid, events: readonly Received[]): void => {
    mkdirSync(join(home, 'feeds'), { recursive: true })
    const lines = mirrorLines(events)
    appendFileSync(file(feed), lines)
    const seq = events.at(-1)?.event.seq ?? '0'
    const place = { cursor: seq, seq, bytes: (places.get(feed)?.bytes ?? 0) + Buffer.byteLength(lines) }
    places.set(feed, place)
    writeFileSync(join(home, 'feeds', `${feed}.json`), JSON.stringify(place))
  }
  return {
    home,
    file,
    async says(source, items, { feed = FEED, type, prg } = {}) {
      const ends = items.some((item) => 'reason' in item)
      const told = {
        ...(ends ? { typ: 'aldis-withdrawal+jws' as const } : {}),
        ...(type === undefined ? {} : { type }),
        ...(prg === undefined ? {} : { prg }),
        ...{ feed, seq: seqOf(feed) + 1 },
      }
      append(feed, await received(node, source, items.map(textOf), told))
    },
    nodeSays(type, { source, signal, revision = 1, feed = FEED, at = NOON }) {
      const said = { source, signal, revision, event: newId(NOON), reason: 'expired' }
      const event = { seq: String(seqOf(feed) + 1), type, at: at.toISOString(), feed, ...said }
      append(feed, [{ event, proof: undefined }])
    },
  }
}

/** A signal of a hash of a file. */
export const aHash = (algorithm: string, hash: string, change: object = {}) =>
  anItem({ ...change, value: { algorithm, hash } }, 'media_hash')
