import { fromBase64, toBase64 } from '../kernel/bytes.ts'
import type { Audit } from './audit.ts'
import { isDecimal } from './names.ts'
import type { Prefix } from './tree.ts'

/** What machines read; `v` changes when a member does. */
export function reportOf({ result, findings, head, contradictions }: Audit, at: Date): object {
  return {
    ...{ v: 1, at: at.toISOString(), result },
    log: head === undefined ? null : { origin: head.origin, size: String(head.size), root: toBase64(head.root) },
    checks: findings,
    contradictions: contradictions.map(({ notes }) => notes),
  }
}

/** What people read. */
export function linesOf({ result, findings, head }: Audit): string[] {
  const name = head === undefined ? 'the log' : `${head.origin}, ${head.size} entries`
  const [digits, width] = [widest(findings.map(({ check }) => `${check}`)), widest(findings.map(({ title }) => title))]
  return [
    ...findings.map(
      ({ check, title, result: own, says }) =>
        `${own.padEnd(7)} ${`${check}`.padStart(digits)}  ${title.padEnd(width)}  ${says}`,
    ),
    `${result}: ${name}`,
  ]
}

const widest = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length))

/** What a further run need not read again, of the log with this key. */
export const stateText = (vkey: string, { size, root }: Prefix): string =>
  `${JSON.stringify({ v: 1, vkey, size: String(size), root: toBase64(root) })}\n`

/** Undefined for the state of another log, or for anything that is not exactly one: everything is read then. */
export function parseState(text: string, vkey: string): Prefix | undefined {
  const value = objectIn(text)
  const { size, root } = value
  const bytes = typeof root === 'string' ? fromBase64(root) : undefined
  if (value['v'] !== 1 || value['vkey'] !== vkey || bytes?.length !== 32) return undefined
  return isDecimal(size) ? { size: BigInt(size), root: bytes } : undefined
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
