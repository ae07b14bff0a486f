import { concat, equal, fromBase64Url, type Hash, toBase64Url, u32 } from '../kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../kernel/ids.ts'
import { leafHash, treeHash } from '../provenance/merkle.ts'
import { inboxName } from '../provenance/schema.ts'
import { changesRoot } from '../provenance/signal-change.ts'
import type { Entry } from './entry.ts'
import { type EntryCheck, type Faults, gatherFaults } from './faults.ts'
import type { FeedTable } from './feeds.ts'
import { numbered } from './finding.ts'
import { createNames } from './names.ts'
import type { Row } from './programme.ts'
import type { SignalState, SignalTable } from './signals.ts'

/** When a witness cosigned how much of the log. */
export interface Cosigned {
  size: bigint
  seconds: bigint
}

/** How far the clocks of node and witnesses may be apart. */
const APART_S = 300

/**
 * Check 10: what an entry comes after stands before it, revisions rise by one, nothing follows an end, only what is live is held
 * and only what is held released, nothing expires before its time, and times fit those at which witnesses cosigned. The signals are looked at before the entry changes them.
 */
export function checkOrder(signals: SignalTable, cosigned: readonly Cosigned[]): EntryCheck {
  const check = numbered(10, 'order')
  const faults = gatherFaults(check)
  /** Those that stand before. */
  const events = createNames()
  return {
    entry(entry) {
      const { index, event, fields } = entry
      const after = fields.get('after')
      if (after !== undefined && events.find(String(after)) === undefined)
        faults.add(`the event ${after}, which it comes after, does not stand before it`, index)
      if (events.find(event) !== undefined) faults.add(`its event ${event} stands before it too`, index)
      events.slotOf(event)
      orderChanges(signals, entry, faults)
      orderHold(signals, entry, faults)
      orderEnds(signals, entry, faults)
      fitTime(entry, cosigned, faults)
    },
    cut: faults.cut,
    end: () =>
      faults.finding(() =>
        check.pass(
          cosigned.length === 0
            ? 'causes precede effects and revisions rise by one; no cosignature says when'
            : 'causes precede effects, revisions rise by one, and times fit those of the witnesses',
        ),
      ),
  }
}

function orderChanges(signals: SignalTable, { index, fields, changes }: Entry, faults: Faults): void {
  const actor = String(fields.get('actor'))
  const seen = new Map<string, Pick<SignalState, 'revision' | 'state'>>()
  for (const { signal, revision, state } of changes) {
    const before = seen.get(signal) ?? signals.find(actor, signal)
    // What is held may be withdrawn, and nothing else.
    const open = before?.state === 'live' || (before?.state === 'held' && state === 'withdrawn')
    if (before !== undefined && !open) faults.add(`it changes the signal ${signal}, which is ${before.state}`, index)
    else if (revision !== (before?.revision ?? 0) + 1)
      faults.add(`revision ${revision} of the signal ${signal} follows ${before?.revision ?? 'nothing'}`, index)
    seen.set(signal, { revision, state })
  }
}

/** The state that a signal is held in, and the one that it is released from. */
const HELD_FROM: ReadonlyMap<string, string> = new Map([
  ['signal.held', 'live'],
  ['signal.released', 'held'],
])

function orderHold(signals: SignalTable, { kind, index, fields }: Entry, faults: Faults): void {
  const from = HELD_FROM.get(kind)
  if (from === undefined) return
  const signal = String(fields.get('signal'))
  const state = signals.find(String(fields.get('subject')), signal)?.state ?? 'not there'
  if (state !== from) faults.add(`${kind} is of the signal ${signal}, which is ${state}`, index)
}

function orderEnds(signals: SignalTable, entry: Entry, faults: Faults): void {
  const { index, fields, expired, erased } = entry
  for (const { signal } of erased) {
    const before = signals.find(String(fields.get('subject')), signal)
    if (before === undefined || before.state === 'erased')
      faults.add(`it erases the signal ${signal}, which is ${before?.state ?? 'not there'}`, index)
  }
  for (const one of expired) {
    const why = expiryFault(entry, one, signals.find(String(fields.get('subject')), one.signal))
    if (why !== undefined) faults.add(`it ends the signal ${one.signal}${why}`, index)
  }
}

function expiryFault(
  { time }: Entry,
  { revision }: Entry['expired'][number],
  before: SignalState | undefined,
): string | undefined {
  if (before?.state !== 'live' && before?.state !== 'held') return `, which is ${before?.state ?? 'not there'}`
  if (revision !== before.revision) return ` in revision ${revision}, which has revision ${before.revision}`
  return time >= Date.parse(before.expires_at) ? undefined : ' before its time'
}

function fitTime({ index, time }: Entry, cosigned: readonly Cosigned[], faults: Faults): void {
  if (Number.isNaN(time)) faults.add('it has no time', index)
  for (const { size, seconds } of cosigned) {
    const apart = time / 1_000 - Number(seconds)
    if (index < size && apart > APART_S) faults.add('its time is after the one at which a witness saw it', index)
    if (index >= size && apart < -APART_S)
      faults.add('its time is before the one at which a witness saw the log without it', index)
  }
}

/** The signals' rows that an entry sets, and whether they are what it committed to. */
export function foldSignals(
  { hash, signals, feeds }: { hash: Hash; signals: SignalTable; feeds: FeedTable },
  entry: Entry,
): { rows: Row[]; fits: boolean } {
  const { kind, index, fields, changes, expired, erased } = entry
  const at = Number(index)
  if (kind === 'signal.expired') return foldEnds({ hash, signals, feeds }, entry, { ended: expired, state: 'expired' })
  if (kind === 'signal.held') return foldHold({ signals, feeds }, entry, 'held')
  if (kind === 'signal.released') return foldHold({ signals, feeds }, entry, 'live')
  if (HEARD.has(kind)) return foldHeard({ signals, feeds }, entry)
  if (kind === 'erasure') return foldEnds({ hash, signals, feeds }, entry, { ended: erased, state: 'erased' })
  const accepted = fields.get('accepted')
  if (accepted === undefined && changes.length === 0) return { rows: [], fits: true }
  const root = fromBase64Url(String(accepted))
  const fits = root !== undefined && equal(changesRoot(hash, changes as Parameters<typeof changesRoot>[1]), root)
  const source = String(fields.get('actor'))
  return { rows: changes.flatMap((change) => place({ signals, feeds }, source, { change, at })), fits }
}

const HEARD: ReadonlySet<string> = new Set(['feedback.given', 'dispute.opened', 'dispute.closed', 'question.answered'])

/** What a participant is told alone stands in its inbox, by whoever said it. */
function foldHeard(
  { signals, feeds }: { signals: SignalTable; feeds: FeedTable },
  { fields, index }: Entry,
): { rows: Row[]; fits: boolean } {
  const row = signals.wordOf(String(fields.get('actor')), String(fields.get('signal')))
  const revision = Number(fields.get('revision'))
  feeds.push(inboxName(String(fields.get('subject'))), { row, revision, at: Number(index), end: false })
  return { rows: [], fits: true }
}

/** A signal that all recipients set aside for a while, and take up again. */
function foldHold(
  { signals, feeds }: { signals: SignalTable; feeds: FeedTable },
  { fields, index }: Entry,
  state: 'held' | 'live',
): { rows: Row[]; fits: boolean } {
  const [at, source] = [Number(index), String(fields.get('subject'))]
  const signal = String(fields.get('signal')) as Uuid
  const [before, row] = [signals.find(source, signal), signals.rowOf(source, signal)]
  if (before === undefined || row === undefined) return { rows: [], fits: false }
  feeds.push(before.audience, { row, revision: before.revision, at, end: false })
  return { rows: rowOf(signals.put(source, { ...before, signal, index: 0, state }, at)), fits: true }
}

/** An end in the audience that a signal is in; of an erased one in every audience that it was ever in. */
function foldEnds(
  { hash, signals, feeds }: { hash: Hash; signals: SignalTable; feeds: FeedTable },
  { fields, index }: Entry,
  { ended, state }: { ended: Entry['expired']; state: 'expired' | 'erased' },
): { rows: Row[]; fits: boolean } {
  const [at, source] = [Number(index), String(fields.get('subject'))]
  const leaves = ended.map(({ signal, revision }) => leafHash(hash, concat(uuidBytes(signal as Uuid), u32(revision))))
  const fits = toBase64Url(treeHash(hash, leaves)) === fields.get('root')
  const rows = ended.flatMap(({ signal }) => {
    const [before, row] = [signals.find(source, signal), signals.rowOf(source, signal)]
    if (before === undefined || row === undefined) return []
    const audiences = state === 'erased' ? signals.audiencesOf(row) : [before.audience]
    for (const audience of audiences) feeds.push(audience, { row, revision: before.revision, at, end: true })
    return rowOf(signals.put(source, { ...before, signal, index: 0, state }, at))
  })
  return { rows, fits }
}

/** The signal as it stands now, and its events: one in its audience, and an end in the one that it has left. */
function place(
  { signals, feeds }: { signals: SignalTable; feeds: FeedTable },
  source: string,
  { change, at }: { change: Entry['changes'][number]; at: number },
): Row[] {
  const left = signals.find(source, change.signal)?.audience
  const rows = rowOf(signals.put(source, change, at))
  const row = signals.rowOf(source, change.signal) ?? 0
  for (const audience of new Set(left === undefined ? [] : [left]).add(change.audience))
    feeds.push(audience, {
      ...{ row, at, revision: change.revision },
      end: audience !== change.audience || change.state === 'withdrawn',
    })
  return rows
}

const rowOf = ({ source, signal, last: _, ...state }: SignalState): Row[] => [
  { of: `signal ${source} ${signal}`, state: { ...state } },
]
