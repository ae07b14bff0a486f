import type { Entry } from './entry.ts'
import { type EntryCheck, type Faults, gatherFaults } from './faults.ts'
import { numbered } from './finding.ts'
import { type Names, wordList } from './names.ts'
import { createPacked } from './packed.ts'
import { GRACE_MS, type Programme, type Row, stayOf } from './programme.ts'
import type { SignalTable } from './signals.ts'

/** A value that a source sealed beside its signal. */
interface Sealed {
  audience: string
  /** When it was destroyed, milliseconds. */
  gone?: number
  /** The audience that it was for before it was sealed anew for another, and until when. */
  before?: { audience: string; until: number }
}

/** What is sealed by now, by source and signal: it goes with the signal, with its audience, and with its source. */
export interface SealedTable {
  find(source: string, signal: string): Sealed | undefined
  /** The rows that an entry sets, or takes away; the signals are as they were before it. */
  fold(entry: Entry): Row[]
}

const STANDING = Number.POSITIVE_INFINITY

export function createSealedTable(names: Names): SealedTable {
  const words = wordList()
  /**
   * By the slot of the value's row: the audience plus one, and when it was destroyed; while it stands, `STANDING`. Then the audience
   * before that one, plus one, and until when it was for that.
   */
  const values = createPacked(Float64Array, 4)

  const valueAt = (slot: number | undefined): Sealed | undefined => {
    const [audience = 0, gone = 0, other = 0, until = 0] = slot === undefined ? [] : values.at(slot)
    if (audience === 0) return undefined
    const before = other === 0 ? {} : { before: { audience: words.text(other - 1), until } }
    return { audience: words.text(audience - 1), ...(gone !== STANDING && { gone }), ...before }
  }
  /** By source, in the order in which they were sealed first. */
  const slots = new Map<string, number[]>()
  const listed = (source: string): number[] => {
    const own = slots.get(source) ?? []
    slots.set(source, own)
    return own
  }
  const seal = (source: string, signal: string, { audience, time }: { audience: string; time: number }): void => {
    const [slot, next] = [names.slotOf(rowName(source, signal)), words.number(audience) + 1]
    const [own = 0, gone = 0, ...before] = values.at(slot)
    if (own === 0) listed(source).push(slot)
    values.set(slot, [next, STANDING, ...(own === next ? before : [own, Math.min(gone, time)])])
  }
  const find = (source: string, signal: string): Sealed | undefined => valueAt(names.find(rowName(source, signal)))

  const destroy = (of: string, time: number): Row[] => {
    const slot = names.find(of)
    const known = valueAt(slot)
    if (slot === undefined || known === undefined || known.gone !== undefined) return []
    values.set(slot, [time], 1)
    return [{ of, state: {}, gone: true }]
  }
  const destroyAll = (source: string, time: number): Row[] =>
    listed(source).flatMap((slot) => destroy(names.nameOf(slot), time))

  return {
    find,
    fold(entry) {
      const { kind, fields, time, changes, expired, erased } = entry
      const text = (name: string): string => String(fields.get(name))
      const [actor, subject, signal] = [text('actor'), text('subject'), text('signal')]
      if (kind === 'value.sealed') {
        const [audience, revision, digest] = [
          String(fields.get('audience')),
          fields.get('revision'),
          fields.get('digest'),
        ]
        seal(actor, signal, { audience, time })
        return [{ of: rowName(actor, signal), state: { revision, audience, digest } }]
      }
      if (kind === 'value.removed') return destroy(rowName(actor, signal), time)
      if (kind === 'participant.left') return destroyAll(subject, time)
      const moved = changes.filter((one) => one.state !== 'live' || one.audience !== find(actor, one.signal)?.audience)
      return [
        ...moved.flatMap((one) => destroy(rowName(actor, one.signal), time)),
        ...[...expired, ...erased].flatMap((one) => destroy(rowName(subject, one.signal), time)),
      ]
    },
  }
}

const rowName = (source: string, signal: string): string => `sealed-value ${source} ${signal}`

interface Known {
  programme: Programme
  signals: SignalTable
  sealed: SealedTable
}

/**
 * Check 17: a value was sealed by the source of a live link in the revision and for the audience that it had, and revealed by
 * whom its entry names, who was in that audience then, in a revision that was live, and not after it was destroyed.
 */
export function checkValues(known: Known): EntryCheck {
  const check = numbered(17, 'sealed values')
  const faults = gatherFaults(check)
  const counted = { sealed: 0, revealed: 0 }
  return {
    entry(entry) {
      if (entry.kind === 'value.sealed') {
        counted.sealed += 1
        checkSealed(known, entry, faults)
      } else if (entry.kind === 'value.removed') {
        const standing = known.sealed.find(String(entry.fields.get('actor')), String(entry.fields.get('signal')))
        if (standing === undefined || standing.gone !== undefined)
          faults.add('it takes back what is not there', entry.index)
      } else if (entry.kind === 'value.revealed') {
        counted.revealed += 1
        checkRevealed(known, entry, faults)
      }
    },
    cut: faults.cut,
    end: () =>
      faults.finding(() =>
        check.pass(
          counted.sealed + counted.revealed === 0
            ? 'no value was sealed'
            : `${counted.sealed} values were sealed by their sources, and ${counted.revealed} reveals are of such, by who might have them`,
        ),
      ),
  }
}

function checkSealed({ signals }: Known, { fields, index }: Entry, faults: Faults): void {
  const signal = signals.find(String(fields.get('actor')), String(fields.get('signal')))
  if (signal === undefined) faults.add('it seals a value beside a signal that its source does not have', index)
  else if (signal.state !== 'live') faults.add(`it seals a value beside a signal that is ${signal.state}`, index)
  else if (signal.type !== 'url' && signal.type !== 'domain') faults.add(`a ${signal.type} has no value to seal`, index)
  else if (signal.revision !== fields.get('revision') || signal.audience !== fields.get('audience'))
    faults.add('it names another revision or audience than the signal has', index)
}

function checkRevealed({ programme, signals, sealed }: Known, { fields, index, time }: Entry, faults: Faults): void {
  const [reader, source, signal] = [
    String(fields.get('actor')),
    String(fields.get('subject')),
    String(fields.get('signal')),
  ]
  if (fields.get('reader') !== reader) faults.add('its reader is another than who acted', index)
  const value = sealed.find(source, signal)
  if (value === undefined) {
    faults.add('it reveals what its source never sealed', index)
    return
  }
  if (value.gone !== undefined && time > value.gone + GRACE_MS)
    faults.add('it reveals what was destroyed before', index)
  const versions = [...signals.versions(source, signal)]
  if (!versions.some(({ revision, state }) => revision === fields.get('revision') && state === 'live'))
    faults.add('it names a revision in which its signal was never live', index)
  const { audience, before } = value
  const isIn = (audience: string): boolean => {
    const stay = stayOf(programme, { audience, reader, index })
    return stay !== undefined && time <= (stay.leftAt ?? time) + GRACE_MS
  }
  const wasFor = before !== undefined && time <= before.until + GRACE_MS && isIn(before.audience)
  if (reader !== source && !isIn(audience) && !wasFor)
    faults.add(`the reader was not in the audience ${audience}`, index)
}
