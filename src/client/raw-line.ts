import { SIGNAL_TYPE } from '../signals/schema.ts'
import type { RawLine } from './derive.ts'

type Shape = 'string' | 'number' | 'boolean' | 'object'

/** Of the members that are read here; what a signal takes over as it stands, the node judges. */
const SHAPE: Readonly<Record<Exclude<keyof RawLine, 'type'>, Shape>> = {
  ...{ raw: 'string', service: 'string', region: 'string', algorithm: 'string', hash: 'string', note: 'string' },
  ...{ hashed: 'object', pattern: 'object', tactic: 'object', relation: 'object', context: 'object' },
  ...{ category: 'string', severity: 'string', basis: 'string', handling: 'string', tlp: 'string' },
  ...{ confidence: 'number', seal: 'boolean', observed_at: 'string', expires_at: 'string' },
}

const WORD: Readonly<Record<Shape, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
}

export type ReadLine = { outcome: 'raw'; raw: RawLine } | { outcome: 'refused'; reason: string }

/** What JSON gave as a raw line, or which member of it is not what it has to be; the reason never says the value. */
export function rawLineOf(value: unknown): ReadLine {
  if (shapeOf(value) !== 'object') return refused('a line is an object')
  const line = value as Record<string, unknown>
  const { type } = line
  if (typeof type !== 'string' || !Object.hasOwn(SIGNAL_TYPE, type))
    return refused(`a line has a member type: ${Object.keys(SIGNAL_TYPE).join(', ')}`)
  for (const [name, shape] of Object.entries(SHAPE)) {
    if (line[name] !== undefined && shapeOf(line[name]) !== shape) return refused(`\`${name}\` is not ${WORD[shape]}`)
  }
  return { outcome: 'raw', raw: line as unknown as RawLine }
}

const refused = (reason: string): ReadLine => ({ outcome: 'refused', reason })

const shapeOf = (value: unknown): string => (value === null || Array.isArray(value) ? 'none' : typeof value)
