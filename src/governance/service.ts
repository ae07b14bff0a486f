import { atLog } from '../db/as-participant.ts'
import { dayOf } from '../kernel/day.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Looker } from '../provenance/explorer.ts'
import { instantIn } from '../reports/period.ts'
import { expectedOf, measureOf, type ShareCell } from './matrix.ts'
import { MATRIX_DAYS, type MatrixCell, type MatrixQuery, type MatrixResult } from './schema.ts'
import type { SharesTold } from './shares.ts'
import { createSights, type SightOptions, type Sights } from './sight.ts'
import * as store from './store.ts'

/** An audience as the matrix knows it. */
export interface KnownGroup {
  audience_id: Uuid
  label: string
  members: ReadonlySet<Uuid>
}

export interface GovernanceOptions extends SightOptions {
  logId: number
  directory: {
    /** Those that see signals, in the order of their names. */
    participants(): readonly { participant_id: Uuid; slug: string }[]
    groups(): readonly KnownGroup[]
  }
  timeoutMs: number
}

export interface GovernanceService extends Sights {
  /** Who shared what with whom; recorded first unless the looker sees its own alone. */
  matrix(by: Looker, asked: MatrixQuery): Promise<MatrixResult>
  /** The names of the audiences that the looker may ask for: all, or those it is in. */
  groups(by: Looker): readonly string[]
  /** What rules look at; nothing of it leaves the node. */
  shares(asked: store.ToldAsked): Promise<SharesTold>
}

const DAY_MS = 86_400_000
/** Days of a matrix that nobody asked more of. */
const DAYS = 90
/** Of one statement over all shares of a month: for a loop, which nobody waits for. */
const SHARES_TIMEOUT_MS = 30_000

export function createGovernance(options: GovernanceOptions): GovernanceService {
  const { db, logId, auditing, timeoutMs } = options
  return {
    ...createSights(options),
    shares: (asked) => atLog(db, logId, (tx) => store.sharesTold(tx, logId, asked), { timeoutMs: SHARES_TIMEOUT_MS }),
    groups: (by) => [...new Set(groupsFor(options, by).map(({ label }) => label))].sort(),
    async matrix(by, asked) {
      const { from, to } = rangeOf(asked, options.clock())
      const before = dayOf(new Date(2 * Date.parse(from) - Date.parse(to)))
      const group = groupOf(options, by, asked.group)
      const of = {
        ...(asked.category !== undefined && { category: asked.category }),
        ...(group !== undefined && { audience: group.audience_id }),
        ...(by.sees === 'own' && { party: by.slug }),
      }
      const { now, earlier, upto } = await atLog(
        db,
        logId,
        async (tx) => ({
          now: await store.cellsBetween(tx, logId, { from, to, ...of }),
          earlier: await store.cellsBetween(tx, logId, { from: before, to: from, ...of }),
          upto: await store.countedUpto(tx, logId),
        }),
        { timeoutMs },
      )
      const cells = squareOf(options, { now, earlier, group, own: by.sees === 'own' ? by.slug : undefined })
      if (by.sees !== 'own')
        await auditing({ ...by, auditor: true }, `shares ${from} to ${to}`, BigInt(cells.length), 'matrix')
      const participants = [...new Set(cells.flatMap(({ source, recipient }) => [source, recipient]))].sort()
      return { from, to, upto: String(upto), participants, cells }
    },
  }
}

function rangeOf(asked: MatrixQuery, now: Date): { from: string; to: string } {
  const to = asked.to ?? dayOf(new Date(now.getTime() + DAY_MS))
  // What is no day of the calendar would be taken for another here, and refused by the database.
  const end = instantIn(to)
  const from = asked.from ?? (Number.isNaN(end) ? '' : dayOf(new Date(end - DAYS * DAY_MS)))
  const days = (end - instantIn(from)) / DAY_MS
  if (!Number.isInteger(days) || days < 1) throw new Refusal('filter-value', { detail: 'from is a day before to' })
  if (days > MATRIX_DAYS)
    throw new Refusal('filter-range', {
      detail: `a matrix has at most ${MATRIX_DAYS} days`,
      extra: { limit: MATRIX_DAYS },
    })
  return { from, to }
}

/** An audience that somebody is not in does not exist for them. */
const groupsFor = ({ directory }: GovernanceOptions, { sees, participant }: Looker): readonly KnownGroup[] =>
  sees === 'own' ? directory.groups().filter(({ members }) => members.has(participant)) : directory.groups()

function groupOf(options: GovernanceOptions, by: Looker, label: string | undefined): KnownGroup | undefined {
  if (label === undefined) return undefined
  const group = groupsFor(options, by).find((one) => one.label === label)
  if (group === undefined) throw new Refusal('filter-value', { detail: 'there is no audience of this name' })
  return group
}

interface Square {
  now: readonly ShareCell[]
  earlier: readonly ShareCell[]
  group: KnownGroup | undefined
  own: string | undefined
}

/** Every pair of those that may share, and every pair that did. */
function squareOf({ directory }: GovernanceOptions, { now, earlier, group, own }: Square): MatrixCell[] {
  const participants = directory.participants()
  const groups = group === undefined ? directory.groups() : [group]
  const ids = new Map(participants.map(({ slug, participant_id }) => [slug, participant_id]))
  const told = [...now, ...earlier].flatMap(({ source, recipient }) => [source, recipient])
  const slugs = [...new Set([...ids.keys(), ...told])].sort()
  const byName = new Map(now.map((cell) => [`${cell.source} ${cell.recipient}`, cell]))
  const sharedBefore = new Map(earlier.map((cell) => [`${cell.source} ${cell.recipient}`, cell.shared]))
  const senders = new Set(now.flatMap(({ source, shared }) => (shared > 0 ? [source] : [])))
  const allows = (source: string, recipient: string): boolean => {
    const [from, to] = [ids.get(source), ids.get(recipient)]
    return from !== undefined && to !== undefined && groups.some(({ members }) => members.has(from) && members.has(to))
  }
  return slugs.flatMap((source) =>
    slugs.flatMap((recipient): MatrixCell[] => {
      if (source === recipient || (own !== undefined && source !== own && recipient !== own)) return []
      const name = `${source} ${recipient}`
      const cell = byName.get(name)
      const { shared = 0, confirmed = 0, not_violating = 0, answered = 0, disputed = 0 } = cell ?? {}
      const median = measureOf(cell, 'median_hours')
      const allowed = allows(source, recipient)
      return [
        {
          ...{ source, recipient, shared, confirmed, not_violating, answered, disputed, allowed },
          median_hours: median === undefined || !Number.isFinite(median) ? null : median,
          before: sharedBefore.get(name) ?? 0,
          expected: expectedOf({ shared, allowed, sends: senders.has(source) }),
        },
      ]
    }),
  )
}
