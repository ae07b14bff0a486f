import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { type MirroredSignal, mirroredSignals, theSignal } from '../../client/acts.ts'
import { linesOf } from '../../client/lines.ts'
import { Refusal } from '../../kernel/errors.ts'
import { HITS_MAX, type HitReport } from '../../review/schema.ts'
import { EXIT } from '../exit.ts'
import { type Session, withSession } from './session.ts'

const EXAMPLE = `
A line names a signal that aldis sync brought, and how often our own matcher has seen it since the beginning:
  {"signal":"<id>","count":14,"last_at":"2026-11-26T15:00:00Z","own_ref":"ticket-881"}
  {"signal":"<id>","source":"<slug>",..}    where several sources have a signal of the id
Nobody else sees them. The first, second and tenth open a case; the same file again changes nothing.`

export function hitsCommand(program: Command): void {
  program
    .command('hits <file>')
    .description('report what our own matcher found, as NDJSON (- reads standard input)')
    .addHelpText('after', EXAMPLE)
    .action((file: string, _options: object, command: Command) =>
      withSession(command, (session) => report(session, file)),
    )
}

interface Line {
  signal?: unknown
  source?: unknown
  count?: unknown
  last_at?: unknown
  own_ref?: unknown
}

async function report(session: Session, file: string): Promise<void> {
  let refused = 0
  let opened = 0
  let lines: { line: number; read: Line }[] = []
  const send = async (): Promise<void> => {
    if (lines.length === 0) return
    const told = await sendLines(session, lines)
    refused += told.refused
    opened += told.opened
    lines = []
  }
  const input = file === '-' ? process.stdin : createReadStream(file)
  let line = 0
  for await (const text of linesOf(input)) {
    line += 1
    if (text.trim() === '') continue
    lines.push({ line, read: lineOf(text, line) })
    if (lines.length === HITS_MAX) await send()
  }
  await send()
  session.output.say(`${opened} cases, ${refused} refused`)
  if (refused > 0) process.exitCode = EXIT.someRefused
}

function lineOf(text: string, line: number): Line {
  try {
    return Object(JSON.parse(text)) as Line
  } catch {
    throw new Refusal('invalid-json', { detail: `line ${line}` })
  }
}

async function sendLines(
  { client, home, output }: Session,
  lines: readonly { line: number; read: Line }[],
): Promise<{ refused: number; opened: number }> {
  const wanted = new Set(lines.map(({ read }) => String(read.signal)))
  const known = await mirroredSignals(join(home.dir, 'feeds'), wanted)
  const told = { refused: 0, opened: 0 }
  const refuse = (line: number, code: string, detail?: string): void => {
    told.refused += 1
    const why = detail === undefined ? code : `${code}  ${detail}`
    output.data({ line, outcome: 'refused', code, detail }, `line ${line}  refused: ${why}`)
  }
  const named = lines.flatMap(({ line, read }) => {
    try {
      return [{ line, read, mirrored: meantBy(read, known) }]
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refuse(line, error.code, error.detail)
      return []
    }
  })
  if (named.length === 0) return told
  const hits = named.map(({ read, mirrored: { source, signal, key } }) => ({ ...read, source, signal, key }))
  const { results } = await client.reportHits({ hits } as HitReport)
  for (const { index, code, case: id } of results) {
    const { line = 0, mirrored } = named[index] ?? {}
    if (code !== undefined) refuse(line, code)
    else {
      if (id !== undefined) told.opened += 1
      const value = { line, outcome: 'taken', signal: mirrored?.signal, case: id }
      output.data(value, `line ${line}  ${mirrored?.signal}  ${id === undefined ? 'counted' : `case ${id}`}`)
    }
  }
  return told
}

/** Out of our mirrors. Throws `not-found`, and `validation-failed` where several sources have one and the line names none of them. */
function meantBy({ signal, source }: Line, known: Awaited<ReturnType<typeof mirroredSignals>>): MirroredSignal {
  const found = theSignal(known.get(String(signal)), source === undefined ? undefined : String(source))
  if (found === undefined) throw new Refusal('not-found')
  return found
}
