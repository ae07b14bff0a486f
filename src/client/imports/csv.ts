import { linesOf } from '../lines.ts'

/** A record of CSV with the number of its first line; or what is wrong with it. */
export type CsvRecord = { line: number; cells: string[] } | { line: number; fault: string }

/** UTF-16 code units of one record; cells of one. */
export const RECORD_MAX = 65_536
export const CELLS_MAX = 64

/**
 * Reads CSV (RFC 4180, UTF-8): commas, quotes that are doubled within quotes, lines that end in LF or CRLF. Nothing is taken for a number.
 * Ends at a record that is too long: behind a quote that is not closed nothing can be told from a value.
 */
export async function* csvRecords(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRecord> {
  let open: { line: number; text: string } | undefined
  let line = 0
  for await (const one of linesOf(pieces)) {
    line += 1
    const text = line === 1 ? one.replace(/^\ufeff/, '') : one
    const record = open === undefined ? { line, text } : { line: open.line, text: `${open.text}\n${text}` }
    open = undefined
    if (record.text.length > RECORD_MAX) return yield { line: record.line, fault: TOO_LONG }
    if (quotesIn(record.text) % 2 === 1) open = record
    else if (record.text.trim() !== '') yield { line: record.line, ...cellsOf(record.text.replace(/\r$/, '')) }
  }
  if (open !== undefined) yield { line: open.line, fault: 'a quote is not closed' }
}

const TOO_LONG = `a record is longer than ${RECORD_MAX} characters, or a quote is not closed`

function quotesIn(text: string): number {
  let n = 0
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) n += 1
  return n
}

const CELL = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y

function cellsOf(text: string): { cells: string[] } | { fault: string } {
  if (text.includes('\ufffd')) return { fault: 'the record is not UTF-8' }
  const cells: string[] = []
  for (let at = 0; ; at = CELL.lastIndex) {
    CELL.lastIndex = at
    const [found, quoted, bare = '', end] = CELL.exec(text) ?? []
    if (found === undefined) return { fault: 'a quote stands within a cell, or something behind it' }
    cells.push(quoted?.replaceAll('""', '"') ?? bare)
    if (end === '') return { cells }
    if (cells.length === CELLS_MAX) return { fault: `a record has more than ${CELLS_MAX} cells` }
  }
}
