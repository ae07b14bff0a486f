import { fromStix, stixObjects } from '../../interop/stix/from-stix.ts'
import type { SuiteOf } from '../../interop/stix/pattern.ts'
import type { RawLine } from '../derive.ts'
import { type Imported, refused } from './row.ts'

/** What stands in a bundle for others: it is nothing of its own. */
const BESIDE: ReadonlySet<unknown> = new Set(['identity', 'marking-definition', 'extension-definition'])

/** The indicators of a bundle or an envelope, counted by their places; undefined for a value that is neither. */
export function stixRows(value: unknown, suiteOf: SuiteOf): Imported[] | undefined {
  return stixObjects(value)?.flatMap((object, i): Imported[] => {
    const type = (object as { type?: unknown } | null)?.type
    if (BESIDE.has(type)) return []
    const place = { line: i + 1, from: type === 'indicator' ? 'indicator' : 'another object' }
    const read = fromStix(object, { suiteOf })
    if (read.outcome === 'signal') return [{ ...place, outcome: 'raw', raw: read.line as RawLine }]
    if (read.outcome === 'refused') return [{ ...place, ...refused(`${read.code} ${read.pointer} ${read.detail}`) }]
    return [{ ...place, ...refused('what was revoked, and what is said of others, is not imported') }]
  })
}
