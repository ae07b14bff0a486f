import { Compile, type Validator } from 'typebox/compile'
import type { ErrorCode } from '../../kernel/errors.ts'
import { firstFault } from '../../kernel/schema.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { instantIn } from '../taxii/instant.ts'
import { opinionOf, type Said, sightingOf } from './feedback.ts'
import { fromPattern, type StixValue } from './from-pattern.ts'
import { EXTENSION } from './ids.ts'
import type { SuiteOf } from './pattern.ts'
import { IndicatorObject, OpinionObject, OwnExtension, SightingObject } from './schema.ts'
import { TLP_MARKING } from './standing.ts'

/** How an object is named among others: its id, and its version, which is when it was modified. */
export interface StixName {
  id: string
  version: string
  created: string
}

/** A signal as a line of a raw file: what STIX does not say is absent. */
export type StixLine = StixValue &
  Partial<
    Pick<SignalItem, 'tlp' | 'category' | 'severity' | 'confidence' | 'basis' | 'handling' | 'context' | 'note'>
  > &
  Partial<Pick<SignalItem, 'observed_at' | 'expires_at'>>

export type StixFault = { code: ErrorCode; pointer: string; detail: string }

export type FromStix =
  | { outcome: 'signal'; name: StixName; line: StixLine }
  /** A signal's end. */
  | { outcome: 'ended'; name: StixName }
  /** What is said of another's signal, by the id of its object. */
  | { outcome: 'feedback'; name: StixName; about: string; said: Said }
  | ({ outcome: 'refused'; name: StixName | undefined } & StixFault)

export interface FromStixOptions {
  suiteOf: SuiteOf
}

/** Looked at before anything else of an object. */
const SHAPES: ReadonlyMap<string, Validator> = new Map<string, Validator>([
  ['indicator', Compile(IndicatorObject)],
  ['sighting', Compile(SightingObject)],
  ['opinion', Compile(OpinionObject)],
])
const OWN = Compile(OwnExtension)

/**
 * A STIX 2.1 object as something of ours, or why it is none: what is not known is refused, and nothing is approximated. Names and
 * descriptions are dropped, since people write names into them. No fault repeats a value.
 */
export function fromStix(value: unknown, options: FromStixOptions): FromStix {
  const type = memberOf(value, 'type')
  const shape = typeof type === 'string' ? SHAPES.get(type) : undefined
  if (shape === undefined)
    return refused(value, { code: 'stix-type-refused', pointer: '/type', detail: [...SHAPES.keys()].join(', ') })
  if (!shape.Check(value)) {
    const { pointer, detail } = firstFault(shape, value)
    return refused(value, { code: 'validation-failed', pointer, detail })
  }
  const object = value as IndicatorObject | SightingObject | OpinionObject
  const own = ownOf(object)
  if ('code' in own) return refused(value, own)
  const late = timeFault(object)
  if (late !== undefined) return refused(value, late)
  const found = object.type === 'indicator' ? indicator(object, own, options) : opinionIn(object, own)
  return 'code' in found ? refused(value, found) : { ...found, name: nameOf(object) }
}

const nameOf = ({ id, modified, created }: Pick<IndicatorObject, 'id' | 'modified' | 'created'>): StixName => ({
  ...{ id, version: modified, created },
})

function refused(value: unknown, fault: StixFault): FromStix {
  const [id, version, created] = ['id', 'modified', 'created'].map((name) => memberOf(value, name))
  const isNamed = typeof id === 'string' && ANY_ID.test(id)
  const name = isNamed ? { id, version: stampOr(version), created: stampOr(created) } : undefined
  return { outcome: 'refused', name, ...fault }
}

/** What is told again of an object that was refused is nothing but an id and instants. */
const ANY_ID = /^[a-z][a-z0-9-]{0,63}--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const stampOr = (value: unknown): string =>
  typeof value === 'string' && value.length <= 32 && instantIn(value) !== undefined ? value : ''

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined

/** Our extension of an object; empty where it has none. Those of others add nothing that is read here. */
function ownOf({ extensions = {} }: Pick<IndicatorObject, 'extensions'>): Partial<OwnExtension> | StixFault {
  const own = extensions[EXTENSION]
  if (own === undefined) return {}
  if (OWN.Check(own)) return own as OwnExtension
  const { pointer, detail } = firstFault(OWN, own)
  return { code: 'validation-failed', pointer: `/extensions/${EXTENSION}${pointer}`, detail }
}

const TIMES = ['created', 'modified', 'valid_from', 'valid_until', 'first_seen', 'last_seen'] as const

/** Days that are there, and what ends does so after it began. */
function timeFault(object: object): StixFault | undefined {
  const given = object as Partial<Record<(typeof TIMES)[number], string>>
  const wrong = TIMES.find((name) => given[name] !== undefined && instantIn(given[name]) === undefined)
  if (wrong !== undefined) return { code: 'validation-failed', pointer: `/${wrong}`, detail: 'no instant in UTC' }
  const before = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined && b !== undefined && (instantIn(a) ?? 0n) < (instantIn(b) ?? 0n)
  if (before(given.modified, given.created))
    return { code: 'validation-failed', pointer: '/modified', detail: 'not before created' }
  if (given.valid_until !== undefined && !before(given.valid_from, given.valid_until))
    return { code: 'validation-failed', pointer: '/valid_until', detail: 'after valid_from' }
  return undefined
}

type Found = { outcome: 'signal'; line: StixLine } | { outcome: 'ended' } | StixFault

function indicator(object: IndicatorObject, own: Partial<OwnExtension>, { suiteOf }: FromStixOptions): Found {
  if (object.revoked === true) return { outcome: 'ended' }
  if (own.state !== undefined && own.state !== 'live')
    return { code: 'stix-pattern-refused', pointer: '/pattern', detail: 'the signal is held or has ended' }
  const tlp = tlpOf(object.object_marking_refs ?? [])
  if (tlp !== undefined && typeof tlp !== 'string') return tlp
  const found = fromPattern(object, own, suiteOf)
  if ('why' in found) return { code: 'stix-pattern-refused', pointer: '/pattern', detail: found.why }
  const { category, signal_severity: severity, basis, context, handling, note } = own
  const { confidence, valid_from, valid_until } = object
  const said = { tlp, category, severity, confidence, basis, handling, context, note }
  const line = {
    ...found.value,
    ...Object.fromEntries(Object.entries(said).filter(([, one]) => one !== undefined)),
    observed_at: toSecond(valid_from),
    ...(valid_until === undefined ? {} : { expires_at: toSecond(valid_until) }),
  }
  return { outcome: 'signal', line: line as StixLine }
}

const toSecond = (stamp: string): string => `${stamp.slice(0, 19)}Z`

/** TLP 1, of which clients still know the marks: it is taken, and never given. */
const FORMER: Readonly<Record<string, SignalItem['tlp']>> = {
  'marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9': 'clear',
  'marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da': 'green',
  'marking-definition--f88d31f6-486f-44da-b317-01333bde0b82': 'amber',
  'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed': 'red',
}
const LEVEL_OF: ReadonlyMap<string, SignalItem['tlp']> = new Map([
  ...Object.entries(TLP_MARKING).map(([level, id]) => [id, level as SignalItem['tlp']] as const),
  ...Object.entries(FORMER),
])

/** A mark that is not known may forbid what we would do. */
function tlpOf(marks: readonly string[]): SignalItem['tlp'] | StixFault | undefined {
  const levels = new Set(marks.map((mark) => LEVEL_OF.get(mark)))
  const [level] = levels
  if (levels.size > 1 || (marks.length > 0 && level === undefined))
    return {
      code: 'stix-marking-refused',
      pointer: '/object_marking_refs',
      detail: 'one level of TLP, and no other mark',
    }
  return level
}

function opinionIn(
  object: SightingObject | OpinionObject,
  own: Partial<OwnExtension>,
): { outcome: 'feedback'; about: string; said: Said } | StixFault {
  if (object.revoked === true)
    return {
      code: 'stix-type-refused',
      pointer: '/revoked',
      detail: 'what was said is on record, and is not taken back',
    }
  const said = object.type === 'sighting' ? sightingOf(object, own.disposition) : opinionOf(object, own.disposition)
  if ('why' in said)
    return { code: 'reason-unknown', pointer: `/extensions/${EXTENSION}/disposition`, detail: said.why }
  const about = object.type === 'sighting' ? object.sighting_of_ref : (object.object_refs[0] ?? '')
  return { outcome: 'feedback', about, said }
}

/** The objects of a bundle or an envelope; undefined for anything else. */
export function stixObjects(value: unknown): readonly unknown[] | undefined {
  const objects = memberOf(value, 'objects')
  const type = memberOf(value, 'type')
  return Array.isArray(objects) && (type === undefined || type === 'bundle') ? objects : undefined
}
