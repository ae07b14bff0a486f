import { join } from 'node:path'
import { Compile, type Validator } from 'typebox/compile'
import { type MirroredSignal, mirroredSignal, signAct } from '../client/acts.ts'
import { ownSignature } from '../client/countersigned.ts'
import { daysOf, TAXONOMY } from '../client/defaults.ts'
import { type DeriveContext, type Derived, derive, identifierOf, type RawLine } from '../client/derive.ts'
import { eventAt } from '../client/mirror-seek.ts'
import { triedPattern } from '../client/try-pattern.ts'
import type { FeedbackItem } from '../feedback/schema.ts'
import { createPatternChecker } from '../jobs/pattern-check.ts'
import type { Clock } from '../kernel/clock.ts'
import { type FieldError, Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { firstFault } from '../kernel/schema.ts'
import type { PatternChecker } from '../matching/pattern.ts'
import type { AudienceInfo } from '../participants/schema.ts'
import { SIGNAL_SHAPES, type SignalType } from '../signals/schema.ts'
import { signSubmission } from '../signals/submission.ts'
import type { Epochs } from './epochs.ts'
import type { Known } from './known.ts'
import { type NodeLink, refusalAtNode } from './node-link.ts'
import type { NewEntry } from './outbox.ts'
import { type FeedbackBody, type HitsBody, type SubmitBody, SubmitLine } from './schema.ts'

/** What is put into the outbox: signed here, with nothing raw in it. */
export type Written = Pick<NewEntry, 'kind' | 'items' | 'body' | 'sent'>

/** Which signal a line is of, and which revision, where it is not a new one. */
export interface Place {
  signal: Uuid
  revision: number
  prev?: string
}

export interface Writing {
  /** Lines that cannot be made into an item are named and left out; throws `validation-failed` where none can. */
  submission(body: SubmitBody): Promise<{ written: Written; refused: { line: number; reason: string }[] }>
  /** The same of signals that were named before, line by line; nothing is written where no line can be made into an item. */
  named(
    body: SubmitBody,
    places: readonly Place[],
  ): Promise<{ written: Written | undefined; refused: { line: number; reason: string }[] }>
  feedback(body: FeedbackBody): Promise<Written>
  hits(body: HitsBody): Written
  close(): Promise<void>
}

const LINE = Compile(SubmitLine)
/** Where neither a line nor the request says otherwise; a category is always said. */
const DEFAULTS = { severity: 'high', confidence: 80, basis: 'automated', handling: 'review', tlp: 'amber' } as const

type Line = { line: number; raw: RawLine } | { line: number; reason: string }

export function createWriting(
  link: NodeLink,
  { epochs, known, clock }: { epochs: Epochs; known(): Known | undefined; clock: Clock },
): Writing {
  const { home } = link
  const patterns = createPatternChecker()

  const mirrored = (place: { feed: string; seq: string }, pointer: string): MirroredSignal => {
    const event = eventAt(join(home.dir, 'feeds'), { feed: place.feed, seq: BigInt(place.seq) })
    const found = event === undefined ? undefined : mirroredSignal(event)
    if (found !== undefined) return found
    const detail = 'the mirror has no signal there'
    throw new Refusal('validation-failed', { detail, errors: [{ pointer, code: 'not-found' }] })
  }

  const contextOf = async (body: SubmitBody, lines: readonly RawLine[]): Promise<DeriveContext> => {
    const identifiers = lines.filter((line) => identifierOf(line) !== undefined)
    const epoch = await epochs.newest(identifiers).catch((error: unknown) => {
      throw refusalAtNode(error)
    })
    return {
      audience: audienceIn(known()?.audiences ?? [], body.audience).audience,
      ...{ taxonomy: TAXONOMY, now: clock(), epoch },
      defaults: { category: '', ...DEFAULTS, ...body.defaults, context: body.context },
      days: daysOf,
    }
  }

  const named: Writing['named'] = async (body, places) => {
    const lines = body.lines.map(lineOf)
    const raws = lines.flatMap((line) => ('raw' in line ? [line.raw] : []))
    const context = await contextOf(body, raws)
    const made = []
    for (const line of lines) made.push(await itemOf(line, { context, patterns, place: places[line.line] }))
    const items = made.flatMap((one) => ('text' in one ? [one] : []))
    const refused = made.flatMap((one) => ('text' in one ? [] : [one]))
    if (items.length === 0) return { written: undefined, refused }
    const member = home.membership()
    const signed = await signSubmission({
      ...{ typ: 'aldis-signal+jws', iss: member.uri, aud: member.node_origin, prg: member.programme },
      ...{ items: items.map(({ text }) => text), key: home.signingKey(), now: clock() },
    })
    const sent = { ...ownSignature(signed.jws), what: 'submission' }
    const own = items.map(({ line, signal }) => ({ line, signal }))
    return { written: { kind: 'submission', items: own, body: JSON.stringify(signed), sent }, refused }
  }

  return {
    named,
    async submission(body) {
      const { written, refused } = await named(body, [])
      if (written === undefined) throw nothingLeft(refused)
      return { written, refused }
    },
    async feedback({ feed, seq, ...words }) {
      const about = mirrored({ feed, seq }, '/seq')
      const item: FeedbackItem = { v: 1, ...about, ...words }
      const act = await signAct(item, { member: home.membership(), key: home.signingKey(), now: clock() })
      const sent = { ...ownSignature(act.jws), what: words.outcome }
      return { kind: 'feedback', items: [{ line: 0, signal: about.signal }], body: JSON.stringify(act), sent }
    },
    hits({ hits }) {
      const named = hits.map(({ feed, seq, ...hit }, i) => {
        const { source, signal, key } = mirrored({ feed, seq }, `/hits/${i}/seq`)
        return { source, signal, key, ...hit }
      })
      const items = named.map(({ signal }, line) => ({ line, signal }))
      return { kind: 'hits', items, body: JSON.stringify({ hits: named }) }
    },
    close: () => patterns.close(),
  }
}

function lineOf(value: unknown, line: number): Line {
  if (!LINE.Check(value)) {
    const { pointer, detail } = firstFault(LINE, value)
    return { line, reason: `${pointer}: ${detail}` }
  }
  const { value: raw, ...rest } = value as SubmitLine
  return { line, raw: { ...(rest as RawLine), ...(raw === undefined ? {} : { raw }) } }
}

type Made = { line: number; signal: string; text: string } | { line: number; reason: string }

interface Making {
  context: DeriveContext
  patterns: Pick<PatternChecker, 'check'>
  place: Place | undefined
}

async function itemOf(line: Line, { context, patterns, place }: Making): Promise<Made> {
  if ('reason' in line) return line
  if (line.raw.category === undefined && context.defaults.category === '')
    return { line: line.line, reason: '/category: missing, here and in the defaults' }
  const derived = await triedPattern(shaped(placed(derive(line.raw, context), place)), patterns)
  if (derived.outcome === 'refused') return { line: line.line, reason: derived.reason }
  return { line: line.line, signal: derived.item.signal, text: JSON.stringify(derived.item) }
}

const placed = (derived: Derived, place: Place | undefined): Derived =>
  derived.outcome === 'refused' ? derived : { ...derived, item: { ...derived.item, ...place } }

const shapes = new Map<SignalType, Validator>()

/** What the node would refuse by its shape is not signed. */
function shaped(derived: Derived): Derived {
  if (derived.outcome === 'refused') return derived
  const { item } = derived
  const shape = shapes.get(item.type) ?? Compile(SIGNAL_SHAPES[item.type])
  shapes.set(item.type, shape)
  if (shape.Check(item)) return derived
  const { pointer, detail } = firstFault(shape, item)
  return { outcome: 'refused', reason: `${pointer}: ${detail}` }
}

function nothingLeft(refused: readonly { line: number; reason: string }[]): Refusal {
  const errors = refused.map(
    ({ line, reason }): FieldError => ({ pointer: `/lines/${line}`, code: 'validation-failed', detail: reason }),
  )
  return new Refusal('validation-failed', { detail: 'no line can be made into a signal', errors })
}

function audienceIn(audiences: readonly AudienceInfo[], wanted: string | undefined): AudienceInfo {
  const found = audiences.filter(({ audience, label, kind }) =>
    wanted === undefined ? kind === 'programme' : audience === wanted || label === wanted,
  )
  const [one, ...more] = found
  if (one !== undefined && more.length === 0) return one
  const detail = one === undefined ? 'none of ours is so called' : 'several have this label; name one by its id'
  throw new Refusal('audience-unknown', { detail, errors: [{ pointer: '/audience', code: 'audience-unknown' }] })
}
