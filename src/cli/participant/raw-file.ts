import { createReadStream } from 'node:fs'
import type { RawLine } from '../../client/derive.ts'
import { linesOf } from '../../client/lines.ts'
import { SIGNAL_TYPE } from '../../signals/schema.ts'

/** A line of a raw file with its number, or what is wrong with it. Never shown again: what is in it stays here. */
export type Read = { line: number; outcome: 'raw'; raw: RawLine } | { line: number; outcome: 'refused'; reason: string }

/** Reads NDJSON (RFC 8259 a line) from a file, or from standard input for `-`; empty lines are passed over. */
export async function* readRaw(path: string): AsyncGenerator<Read> {
  const input = path === '-' ? process.stdin : createReadStream(path)
  let line = 0
  for await (const text of linesOf(input)) {
    line += 1
    if (text.trim() !== '') yield parsed(line, text)
  }
}

function parsed(line: number, text: string): Read {
  try {
    const raw = JSON.parse(text) as RawLine | null
    if (typeof raw === 'object' && raw !== null && raw.type in SIGNAL_TYPE) return { line, outcome: 'raw', raw }
    return { line, outcome: 'refused', reason: `a line has a member type: ${Object.keys(SIGNAL_TYPE).join(', ')}` }
  } catch {
    return { line, outcome: 'refused', reason: 'the line is not JSON' }
  }
}
