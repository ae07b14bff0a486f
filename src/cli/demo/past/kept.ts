import { join } from 'node:path'
import { readIfThere } from '../../../client/files.ts'
import { writeDurably } from '../../../kernel/durable.ts'
import type { PlanOptions } from './plan.ts'
import type { Summary } from './summary.ts'

/** What a demo's folder says of its past; one that was begun and has no summary is not whole. */
export interface KeptPast extends PlanOptions {
  summary?: Summary
}

const fileIn = (dir: string): string => join(dir, 'past.json')

export function keptPast(dir: string): KeptPast | undefined {
  const text = readIfThere(fileIn(dir))
  return text === undefined ? undefined : (JSON.parse(text) as KeptPast)
}

export const keepPast = (dir: string, past: KeptPast): void =>
  writeDurably(fileIn(dir), `${JSON.stringify(past, undefined, 2)}\n`)
