import { dayOf } from '../kernel/day.ts'
import { textIn } from './counts.ts'
import {
  ACCOUNT_SUSPENSION,
  ACCOUNT_TERMINATION,
  categoryColumn,
  contextOf,
  DISABLE,
  DSA_CATEGORY,
  type DsaRow,
  type DsaTable,
  INDICATOR_COLUMNS,
  type MeasureTable,
  measureColumns,
  OWN_INITIATIVE,
  REMOVAL,
} from './dsa-template.ts'
import { createStanding } from './standing.ts'
import type { Period } from './tally.ts'

/** An entry of a participant's own chain, verified, as far as figures are made of it. */
export interface OwnEntry {
  kind: string
  /** Milliseconds. */
  time: number
  fields: ReadonlyMap<string, unknown>
}

/** What decisions that acted on signals reported; null where none of them reported it. */
export interface Measures {
  content_removed: number | null
  urls_blocked: number | null
  accounts_actioned: number | null
  /** Decisions that these are the counts of. */
  decisions: number
}

export interface DsaCounts {
  /** Decided by law, by the platform's own policy, and for other reasons: of those the log does not tell the ground. */
  ground: Readonly<Record<Ground, Measures>>
  /** Of all of them, measures of decisions that a person took in the console of the exchange, and of the others. */
  here: number | null
  attested: number | null
  /** Decisions that an appeal reversed. */
  upheld: number
}

export interface DsaReport {
  format: 'aldis-dsa/1'
  participant: string
  period: { from: string; to: string }
  /** The log and how much of it the figures are made of. */
  log: { origin: string; size: string }
  /** The same of the logs before it, in their order. */
  former: { origin: string; size: string }[]
  tables: DsaTable[]
  /** Measures that belong in one of the first two tables: which, the platform's own records say. */
  ground_not_told: Measures
}

export interface DsaTally {
  /** In the order of the chain, from its first link on. */
  take(entry: OwnEntry): void
  counts(): DsaCounts
}

type Ground = 'law' | 'own_policy' | 'other'
interface Decision {
  /** Whether it acted on what was found. */
  acted: boolean
  /** Whether an appeal brought it about. */
  appeal: boolean
  ground: Ground
  here: boolean
  counts: Readonly<Record<string, unknown>>
}

/** The counts that a participant needs for its own report, of its own acts alone. */
export function createDsaTally(period: Period, me: string): DsaTally {
  const decisions = createStanding<Decision>()
  return {
    take({ kind, time, fields }) {
      if (time >= period.to || textIn(fields, 'actor') !== me) return
      if (kind === 'review.undone') decisions.undo(textIn(fields, 'decision'))
      if (kind === 'review.decided' && time >= period.from && fields.get('proposed') !== true)
        decisions.decide(textIn(fields, 'decision'), decisionIn(fields), textIn(fields, 'supersedes'))
    },
    counts() {
      const standing = decisions.all()
      const all = standing.flatMap(({ what }) => (what.acted ? [what] : []))
      const of = (ground: Ground): Measures => measuresOf(all.filter((one) => one.ground === ground))
      return {
        ground: { law: of('law'), own_policy: of('own_policy'), other: of('other') },
        here: totalOf(measuresOf(all.filter(({ here }) => here))),
        attested: totalOf(measuresOf(all.filter(({ here }) => !here))),
        upheld: standing.filter(({ what, corrects }) => corrects && what.appeal).length,
      }
    },
  }
}

function decisionIn(fields: ReadonlyMap<string, unknown>): Decision {
  const reason = textIn(fields, 'reason')
  return {
    acted: textIn(fields, 'verdict') === 'confirmed_action_taken',
    appeal: reason === 'appeal_upheld',
    ground: reason === 'law' || reason === 'own_policy' ? reason : 'other',
    here: textIn(fields, 'authority') === 'reviewed_here',
    counts: Object(fields.get('counts')) as Decision['counts'],
  }
}

function measuresOf(decisions: readonly Decision[]): Measures {
  const sum = (member: string): number | null =>
    sumOf(decisions.map(({ counts }) => (typeof counts[member] === 'number' ? counts[member] : null)))
  return {
    ...{ content_removed: sum('content_removed'), urls_blocked: sum('urls_blocked') },
    ...{ accounts_actioned: sum('accounts_actioned'), decisions: decisions.length },
  }
}

/** Not reported is none of 0. */
function sumOf(counts: readonly (number | null)[]): number | null {
  const told = counts.filter((n) => n !== null)
  return told.length === 0 ? null : told.reduce((sum, n) => sum + n, 0)
}
const totalOf = (of: Measures): number | null => sumOf([of.content_removed, of.urls_blocked, of.accounts_actioned])

export interface DsaOf {
  counts: DsaCounts
  period: Period
  /** As the template names it; empty where nobody said. */
  service: string
  origin: string
}

/** The tables of the templates that an exchange of signals knows something of, with those of their rows alone. */
export const dsaTablesOf = (of: DsaOf): DsaTable[] => [
  measureTable('5_own_initiative_illegal', of.counts.ground.law, of),
  measureTable('6_own_initiative_TC', of.counts.ground.own_policy, of),
  { table: '7_appeals_and_recidivism', columns: INDICATOR_COLUMNS, rows: [appealsOf(of)] },
  { table: '8_automated_means', columns: INDICATOR_COLUMNS, rows: [byPersons(of)] },
]

/** `2026-01-01/2026-12-31`: the last day is part of it. */
function reportingPeriod({ from, to }: Period): string {
  const [first, last] = [from, to - 1].map((ms) => dayOf(new Date(ms)))
  return `${first}/${last}`
}

const firstCells = (applicability: string, { service, period }: DsaOf): DsaRow => ({
  Applicability: applicability,
  Service: service,
  'Reporting period': reportingPeriod(period),
})

function measureTable(table: MeasureTable, told: Measures, of: DsaOf): DsaTable {
  const { content_removed, urls_blocked, accounts_actioned, decisions } = told
  const accounts =
    accounts_actioned === null
      ? undefined
      : `${accounts_actioned} accounts were suspended, closed or otherwise acted on: the exchange does not tell these apart`
  const row = known({
    ...{ ...firstCells('All', of), [categoryColumn(table)]: DSA_CATEGORY },
    ...{ [OWN_INITIATIVE]: totalOf(told), [REMOVAL]: content_removed, [DISABLE]: urls_blocked },
    [contextOf(OWN_INITIATIVE)]:
      `Of ${decisions} decisions on signals of ${of.origin} alone: content removed, links blocked, accounts acted on`,
    ...{ [contextOf(ACCOUNT_SUSPENSION)]: accounts, [contextOf(ACCOUNT_TERMINATION)]: accounts },
  })
  return { table, columns: measureColumns(table), rows: decisions === 0 ? [] : [row] }
}

const appealsOf = (of: DsaOf): DsaRow => ({
  ...firstCells('Only for providers of online platforms', of),
  Section: 'Internal complaints mechanism',
  Indicator: 'Number of complaints submitted to the internal-complaints mechanism',
  Scope: 'Decisions reversed',
  Value: of.counts.upheld,
  'Contextual Information': `Decisions on signals of ${of.origin} alone that an appeal reversed`,
})

const byPersons = (of: DsaOf): DsaRow =>
  known({
    ...firstCells('All', of),
    Section: 'Use of automated means for content moderation',
    Indicator: 'Number of measures not taken by automated means',
    Scope: 'Own-initiative ',
    Value: of.counts.here,
    'Contextual Information': `Decided by a person in the console of ${of.origin}; ${of.counts.attested ?? 'no'} further measures were decided in tools of our own`,
  })

const known = (cells: Readonly<Record<string, string | number | null | undefined>>): DsaRow =>
  Object.fromEntries(Object.entries(cells).flatMap(([name, value]) => (value == null ? [] : [[name, value]])))
