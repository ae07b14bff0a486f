import { type Shares, sharesAskedOn } from '../../src/anomalies/rules.ts'

/** A row of what was shared, as the node counts it. */
export interface Share {
  day: string
  source: string
  recipient: string
  category: string
  shared: number
  not_violating: number
  answered: number
}

/** What the database adds up for the rules of a day, added up row by row. */
export function toldOf(rows: readonly Share[], day: string): Shares {
  const asked = sharesAskedOn(day)
  const isRecent = (row: Share): boolean => row.day >= asked.recent
  const due = rows.filter((row) => row.day <= asked.due)
  return {
    mixes: groups(rows, (row) => `${row.source} ${row.category} ${isRecent(row)}`).map(([first, own]) => ({
      ...{ source: first.source, category: first.category, recent: isRecent(first) },
      shared: sum(own, ({ shared }) => shared),
    })),
    answers: groups(rows, ({ source }) => source).map(([{ source }, own]) => ({
      source,
      not_violating: sum(own, ({ not_violating }) => not_violating),
      answered: sum(own, ({ answered }) => answered),
    })),
    due: groups(due, ({ recipient }) => recipient).map(([{ recipient }, own]) => ({
      recipient,
      shared: sum(own, ({ shared }) => shared),
      unanswered: sum(own, ({ shared, answered }) => Math.max(0, shared - answered)),
    })),
  }
}

const groups = (rows: readonly Share[], name: (row: Share) => string): [Share, Share[]][] =>
  [...Map.groupBy(rows, name).values()].flatMap((own): [Share, Share[]][] => (own[0] ? [[own[0], own]] : []))

const sum = (rows: readonly Share[], of: (row: Share) => number): number => rows.reduce((n, row) => n + of(row), 0)
