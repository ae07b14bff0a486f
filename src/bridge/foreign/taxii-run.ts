import { createHmac } from 'node:crypto'
import type { FeedList } from '../../feeds/schema.ts'
import { type FromStix, fromStix, type StixFault, type StixName } from '../../interop/stix/from-stix.ts'
import { objectUuid } from '../../interop/stix/ids.ts'
import type { StatusDetail } from '../../interop/taxii/port.ts'
import { judgeVersion } from '../../interop/taxii/version-rule.ts'
import { Refusal } from '../../kernel/errors.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import { ITEMS_MAX } from '../../signals/submission.ts'
import type { Place } from '../writing.ts'
import type { ForeignClient } from './clients.ts'
import type { NamedLine } from './named.ts'
import { ownSignal, served, type TaxiiWritesOptions } from './taxii-objects.ts'

export type Feed = FeedList['feeds'][number]
type Read = Exclude<FromStix, { outcome: 'refused' }>
type Of<K extends Read['outcome']> = Extract<Read, { outcome: K }>

/** An object that is to be taken. */
interface Task<R extends Read = Read> {
  read: R
  digest: string
}

interface Told {
  successes: StatusDetail[]
  failures: StatusDetail[]
}

/** One envelope, object by object in their order; signals that stand together are one submission. */
export interface Run {
  told: Told
  take(object: unknown): Promise<void>
  /** What is held is sent. */
  end(): Promise<void>
}

export function createRun(options: TaxiiWritesOptions, client: ForeignClient, feed: Feed): Run {
  const { posted, writing, suiteOf, digestKey } = options
  const told: Told = { successes: [], failures: [] }
  const { did, failed, refusedBy } = tellerOf(told)
  const acts = actsOf(options, feed)
  let held: { task: Task; line: NamedLine }[] = []

  const flush = async (): Promise<void> => {
    const batch = held
    held = []
    if (batch.length === 0) return
    const names = batch.map(({ task }) => task.read.name)
    posted.reserve(
      batch.map(({ task, line }) => ({ object: task.read.name.id, feed: feed.feed, signal: line.place.signal })),
    )
    const lines = batch.map(({ line }) => line)
    const faults = await writing
      .named(feed.audience as Uuid, client, lines)
      .catch((error: unknown) => refusedBy(names, error))
    if (faults === undefined) return
    batch.forEach(({ task, line: { place } }, i) => {
      const fault = faults.get(i)
      if (fault === undefined) did(task.read.name, acts.keep(task, place.signal))
      else failed(task.read.name, fault)
    })
  }

  const judged = async (task: Task): Promise<void> => {
    const { read, digest } = task
    // What is held has no version yet: of one id it goes before the next is judged.
    const isFull = held.length === ITEMS_MAX || held.some((one) => one.task.read.name.id === read.name.id)
    if (isFull || read.outcome !== 'signal') await flush()
    const verdict = judgeVersion(posted.of(read.name.id), read.name, digest)
    if (verdict === 'here') return did(read.name, 'here already')
    if (verdict !== 'new') return failed(read.name, verdict)
    if (read.outcome === 'signal')
      return void held.push({ task, line: { line: read.line, place: await acts.placeOf(read.name) } })
    did(read.name, read.outcome === 'ended' ? await acts.end({ read, digest }) : await acts.feedback({ read, digest }))
  }

  return {
    told,
    async take(object) {
      const read = fromStix(object, { suiteOf })
      if (read.outcome === 'refused') return failed(read.name, read)
      const digest = createHmac('sha256', digestKey).update(JSON.stringify(object)).digest('hex')
      await judged({ read, digest }).catch((error: unknown) => refusedBy([read.name], error))
    },
    end: flush,
  }
}

/** Writes down what became of each object. */
function tellerOf({ successes, failures }: Told) {
  const failed = (name: StixName | undefined, { code, pointer, detail }: StixFault): void => {
    const message = [code, pointer, detail].filter((part) => part !== '').join(' ')
    failures.push({ id: name?.id ?? 'unknown', version: name?.version ?? '', message })
  }
  return {
    failed,
    did: ({ id, version }: StixName, message: string): void => void successes.push({ id, version, message }),
    /** A node that is away takes nothing of an envelope of which it has taken nothing yet: the client comes again with all of it. */
    refusedBy(names: readonly StixName[], error: unknown): undefined {
      if (!(error instanceof Refusal) || (error.status >= 500 && successes.length === 0)) throw error
      for (const name of names) failed(name, { code: error.code, pointer: '', detail: error.detail ?? '' })
    },
  }
}

/** What is done with single objects; each answers what its client is told. */
function actsOf(options: TaxiiWritesOptions, feed: Feed) {
  const { posted, writing, own } = options
  const keep = ({ read: { name, outcome }, digest }: Task, signal: Uuid | undefined): string => {
    posted.keep([
      { object: name.id, feed: feed.feed, signal, version: name.version, digest, ended: outcome === 'ended' },
    ])
    return signal === undefined ? '' : `indicator--${objectUuid(own, signal)}`
  }
  return {
    keep,
    async placeOf({ id }: StixName): Promise<Place> {
      const signal = ownSignal(options, feed.feed, id)
      if (signal === 'of others') throw new Refusal('state-conflict', { detail: 'another object has this id' })
      return signal === undefined ? { signal: newId(options.now()), revision: 1 } : writing.nextOf(signal)
    },
    async end(task: Task<Of<'ended'>>): Promise<string> {
      const signal = ownSignal(options, feed.feed, task.read.name.id)
      if (signal === undefined || signal === 'of others') throw new Refusal('not-found')
      await writing.withdraw(signal)
      return keep(task, signal)
    },
    async feedback(task: Task<Of<'feedback'>>): Promise<string> {
      const { about, said } = task.read
      const sign = served(options, feed.feed, about)
      if (sign === undefined || sign.source === own || sign.state === 'ended') throw new Refusal('not-found')
      await writing.feedback(sign, said)
      keep(task, undefined)
      return said.outcome
    },
  }
}
