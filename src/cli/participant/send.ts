import { noteEvent } from '../../client/connected.ts'
import { AldisError, VerificationFailed } from '../../client/errors.ts'
import type { UploadLine } from '../../signals/schema.ts'
import { type Answered, firstsOf, keepAnswer, keptAnswer } from './answered.ts'
import type { Session } from './session.ts'
import { linesFrom, type Signed } from './share.ts'

/** Tries without getting any further. */
const TRIES = 5

/** Items, by what became of them. */
export interface Told {
  accepted: number
  refused: number
  /** Stored by a run before. */
  before: number
  /** Settled by a run that had no answer, and no longer answered for. */
  unanswered?: number
}

interface Sending {
  signed: Signed
  told: Told
  /** Numbers of the first lines of submissions whose answer is still to be read. */
  open: Set<bigint>
  take: ReturnType<typeof createTelling>
  at(done: number): void
}

/**
 * Sends what has no answer yet, and again from there if the connection or the node breaks, or takes no more in one
 * request. What was stored without our reading so is answered by its `jti`; what was refused whole is judged anew.
 */
export async function send(session: Session, signed: Signed): Promise<Told> {
  const told: Told = { accepted: 0, refused: 0, before: 0 }
  const bar = session.output.progress('sharing', signed.items)
  try {
    const next = await session.client.nextLine(signed.upload)
    const open = openOf(session, signed, { next, told })
    const sending = { signed, told, open, take: createTelling(session, signed, { next, told }), at: bar.at }
    for (let tries = 0; open.size > 0; ) {
      const before = open.size
      const broken = await sendOpen(session, sending).catch(asBroken)
      tries = open.size < before ? 0 : tries + 1
      if (tries === TRIES) throw broken
    }
    return told
  } finally {
    bar.end()
  }
}

/** Of what was answered before, the answer is told again; the others are open. */
function openOf(session: Session, signed: Signed, { next, told }: { next: bigint; told: Told }): Set<bigint> {
  const open = new Set<bigint>()
  for (const first of firstsOf(signed)) {
    const known = keptAnswer(session, signed, first)
    if (first < next && known === undefined && signed.answers !== true) told.before += itemsOf(signed, first)
    else if (first < next && known !== undefined && known.accepted > 0) tellKept(session, signed, { known, told })
    else open.add(first)
  }
  return open
}

function tellKept(session: Session, signed: Signed, { known, told }: { known: Answered; told: Told }): void {
  told.before += known.accepted
  for (const line of known.refused) tell(session, signed, { line, told })
}

function itemsOf({ origin }: Signed, first: bigint): number {
  let line = first + 1n
  while (origin[String(line)] !== undefined) line += 1n
  return Number(line - first) - 1
}

/** What may be tried again; everything else is thrown on. */
function asBroken(error: unknown): Error {
  if (error instanceof AldisError ? error.status >= 500 : error instanceof Error && 'code' in error)
    return error as Error
  throw error
}

/** One request; answers the fault after which it has to go on in another. */
async function sendOpen(session: Session, { signed, told, open, take, at }: Sending): Promise<Error> {
  const [line = 1n] = open
  // Of an answer that broke off nothing is told: it comes again as a whole.
  take.begin()
  for await (const one of session.client.upload({ id: signed.upload, line }, linesOfOpen(signed, line, open))) {
    const { code, status, detail } = one
    if (code !== undefined && (status >= 500 || isEnd(one, signed)))
      return new AldisError({ code, title: code, status, ...(detail === undefined ? {} : { detail }) })
    const first = take.line(one)
    if (first !== undefined) open.delete(first)
    at(told.before + told.accepted + told.refused)
  }
  return new VerificationFailed('answer', 'the node does not answer for all that was sent')
}

/** The lines of open submissions; in the place of others an empty one, which counts and is passed over. */
async function* linesOfOpen(signed: Signed, from: bigint, open: ReadonlySet<bigint>): AsyncGenerator<string> {
  const wanted = new Set(open)
  let line = from
  let isOpen = false
  for await (const text of linesFrom(signed, from)) {
    if (signed.submissions[String(line)] !== undefined) isOpen = wanted.has(line)
    yield isOpen ? text : '\n'
    line += 1n
  }
}

/** What the node says of the stream, as its last line: it has a number as an item's line has, but of no item. */
const isEnd = ({ first, line }: UploadLine, { origin }: Signed): boolean =>
  first === undefined && origin[String(line)] === undefined

interface Telling {
  told: Told
  /** The node's place as the run began. */
  next: bigint
}

/** Tells and keeps the node's answer submission by submission: `line` answers the first line of one that is told now. */
export function createTelling(session: Session, signed: Signed, { told, next }: Telling) {
  let held: UploadLine[] = []
  return {
    begin(): void {
      held = []
    },
    line(one: UploadLine): bigint | undefined {
      held.push(one)
      if (one.first === undefined) return undefined
      const [answer, first] = [held, BigInt(one.first)]
      held = []
      const known = keptAnswer(session, signed, first)
      if (one.code !== undefined && known !== undefined && known.accepted > 0)
        tellKept(session, signed, { known, told })
      else if (one.code !== undefined && known === undefined && signed.answers === true && first < next)
        tellUnanswered(session, signed, { line: one, told })
      else {
        const before = told.accepted
        for (const line of answer) tell(session, signed, { line, told })
        const refused = answer.filter(({ code }) => code !== undefined)
        keepAnswer(session, signed, first, { accepted: told.accepted - before, refused })
      }
      return first
    },
  }
}

/** One line of the node's answer; the evidence in it is kept. */
function tell(
  session: Session,
  { origin, submissions }: Signed,
  { line, told }: { line: UploadLine; told: Told },
): void {
  const { output } = session
  const { status, submission, signal, revision, code, pointer, detail, warning } = line
  if (submission !== undefined) {
    const sent = submissions[String(line.first)]
    if (sent === undefined) throw new VerificationFailed('answer', 'the node answers for lines that were not sent')
    noteEvent(session, line, { ...sent, what: 'submission' })
    return
  }
  const [raw = 0, type = ''] = origin[String(line.line)] ?? []
  if (code === undefined) {
    told.accepted += 1
    const value = { line: raw, outcome: status === 201 ? 'created' : 'durable', type, signal, revision, warning }
    const warned = warning === undefined ? '' : `  warning: ${warning}`
    output.data(value, `line ${raw}  ${type.padEnd(15)}  ${signal}  revision ${revision}${warned}`)
    return
  }
  // A submission that was refused as a whole takes all its items with it.
  const items = line.first === undefined ? 1 : line.line - line.first
  told.refused += items
  const why = [code, pointer, detail].filter((part) => part !== undefined && part !== '').join('  ')
  const value = { line: raw, outcome: 'refused', code, pointer, detail, items }
  output.data(value, `${placeOf(origin, line)}  refused: ${why}`)
}

/** Stored or refused in a run that was cut off; the node refuses to look at it again, which says nothing of what became of it. */
function tellUnanswered(
  { output }: Session,
  { origin, upload }: Signed,
  { line, told }: { line: UploadLine; told: Told },
): void {
  const items = line.line - (line.first ?? line.line)
  told.unanswered = (told.unanswered ?? 0) + items
  const [raw = 0] = origin[String(line.line)] ?? []
  const why = `settled in a run before, which had no answer; it is no longer given (${line.code})`
  output.data({ line: raw, outcome: 'unanswered', upload, code: line.code, items }, `${placeOf(origin, line)}  ${why}`)
}

function placeOf(origin: Signed['origin'], { line, first }: UploadLine): string {
  const [raw = 0] = origin[String(line)] ?? []
  return first === undefined ? `line ${raw}` : `lines ${origin[String(first + 1)]?.[0] ?? raw}-${raw}`
}
