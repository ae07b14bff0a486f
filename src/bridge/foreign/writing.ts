import { ownSignature } from '../../client/countersigned.ts'
import type { StixFault } from '../../interop/stix/from-stix.ts'
import { contextIn, type FromThreat } from '../../interop/threatexchange/from-threat.ts'
import { numberOf } from '../../interop/threatexchange/numbers.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { signSubmission } from '../../signals/submission.ts'
import { send } from '../forward.ts'
import type { Known } from '../known.ts'
import { type NodeLink, refusalAtNode } from '../node-link.ts'
import type { Entry } from '../outbox.ts'
import type { FeedbackBody, SubmitBody } from '../schema.ts'
import type { Place, Writing, Written } from '../writing.ts'
import type { ForeignClient } from './clients.ts'
import { knownCode, type NamedLine, submitNamed } from './named.ts'
import type { Signed } from './writes.ts'

export interface ForeignWritingOptions {
  link: NodeLink
  writing: Writing
  known(): Known | undefined
  now(): Date
}

/** What clients of other protocols write: signed here, and told to be done once the node has it. Nothing waits in between. */
export interface ForeignWriting {
  /** Answers the signals. Throws `validation-failed` where one of them has neither category nor context. */
  submit(client: ForeignClient, all: readonly Omit<FromThreat, 'confidence'>[]): Promise<Uuid[]>
  feedback(about: Signed, said: Pick<FeedbackBody, 'outcome' | 'reason'>): Promise<void>
  /** Ends a signal of our own. */
  withdraw(signal: Uuid): Promise<void>
  /** Signals that were named before, for an audience; answers what became of those that were refused, by their place. */
  named(audience: Uuid, client: ForeignClient, lines: readonly NamedLine[]): Promise<ReadonlyMap<number, StixFault>>
  /** The next revision of a signal of our own; the first where the node does not have it. */
  nextOf(signal: Uuid): Promise<Place>
}

export function createForeignWriting(options: ForeignWritingOptions): ForeignWriting {
  const { link, writing, known } = options
  const { home } = link
  const deliver = async (written: Written): Promise<NonNullable<Entry['results']>> => {
    const { results = [] } = await link.ask(() => send(link, written, written.body)).catch(thrown)
    for (const { code } of results) if (code !== undefined) throw new Refusal(knownCode(code))
    return results
  }
  return {
    async submit(client, all) {
      const [first] = all
      if (first === undefined) throw new Refusal('validation-failed', { detail: 'there is nothing to submit' })
      const context = first.context ?? contextIn(client.context)
      if (context === undefined) throw missing('context', 'aldis_context')
      const body: SubmitBody = {
        ...{ audience: audienceOf(first.to, known(), home.membership().participant), context },
        lines: all.map((one) => lineOf(one, client)),
      }
      const { written, refused } = await writing.submission(body)
      const [{ reason = '' } = {}] = refused
      if (refused.length > 0) throw new Refusal('validation-failed', { detail: reason })
      await deliver(written)
      return written.items.map(({ signal }) => signal as Uuid)
    },
    async feedback({ feed, seq }, said) {
      await deliver(await writing.feedback({ feed: feed as Uuid, seq: String(seq), ...said }))
    },
    named: (audience, client, lines) => submitNamed({ link, writing }, { audience, client, lines }),
    async nextOf(signal) {
      const own = await link
        .ask(() => link.client().own(signal))
        .catch((error: unknown) => {
          const refusal = refusalAtNode(error)
          if (refusal.code === 'not-found') return undefined
          throw refusal
        })
      if (own === undefined) return { signal, revision: 1 }
      return { signal, revision: own.revision + 1, prev: own.leaf }
    },
    async withdraw(signal) {
      const { revision, leaf } = await link.ask(() => link.client().own(signal)).catch(thrown)
      const { uri: iss, node_origin: aud, programme: prg } = home.membership()
      const item = { v: 1, signal, revision: revision + 1, prev: leaf, reason: 'mistaken' }
      const items = [JSON.stringify(item)]
      const key = home.signingKey()
      const signed = await signSubmission({
        typ: 'aldis-withdrawal+jws',
        iss,
        aud,
        prg,
        items,
        key,
        now: options.now(),
      })
      const sent = { ...ownSignature(signed.jws), what: 'withdrawal' }
      await deliver({ kind: 'submission', items: [{ line: 0, signal }], body: JSON.stringify(signed), sent })
    },
  }
}

const thrown = (error: unknown): never => {
  throw refusalAtNode(error)
}

const missing = (what: string, tag: string): Refusal =>
  new Refusal('validation-failed', { detail: `no ${what}: a tag ${tag}:.. or aldis bridge client add --${what}` })

function lineOf(one: Omit<FromThreat, 'confidence'> & { confidence?: number | undefined }, client: ForeignClient) {
  const { value, tlp, basis, severity, confidence, expires_at } = one
  const category = one.category ?? client.category
  if (category === undefined) throw missing('category', 'aldis_category')
  return {
    ...{ ...value, tlp, basis, category },
    ...(severity === undefined ? {} : { severity }),
    ...(confidence === undefined ? {} : { confidence }),
    ...(expires_at === undefined ? {} : { expires_at }),
  }
}

function audienceOf(to: FromThreat['to'], known: Known | undefined, own: string): Uuid {
  const audiences = known?.audiences ?? []
  const found = audiences.filter(({ audience, kind, members }) => {
    if (to.kind === 'programme') return kind === 'programme'
    if (to.kind === 'group')
      return known?.feeds.some((feed) => feed.audience === audience && isNumber(feed.feed, to.number))
    const others = members.filter((slug) => slug !== own).map((slug) => numberOf('participant', slug))
    return kind === 'named' && others.length === to.numbers.length && others.every((one) => to.numbers.includes(one))
  })
  const [one, ...more] = found
  if (one === undefined || more.length > 0) throw new Refusal('audience-unknown')
  return one.audience
}

const isNumber = (feed: string, number: string): boolean => numberOf('group', feed) === number
