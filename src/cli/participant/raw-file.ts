import { createReadStream } from 'node:fs'
import type { RawLine } from '../../client/derive.ts'
import { linesOf } from '../../client/lines.ts'
import { rawLineOf } from '../../client/raw-line.ts'

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
    return { line, ...rawLineOf(JSON.parse(text)) }
  } catch {
    return { line, outcome: 'refused', reason: 'the line is not JSON' }
  }
}
