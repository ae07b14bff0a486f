import type { VNode } from 'preact'
import { Note } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { COUNT_WORDS, reasonLabel, STATE_WORDS, verdictLabel } from '../words.ts'
import type { CaseView } from './case-view.ts'

const COLUMNS = [
  { title: 'What', silent: true },
  { title: 'You were going to send' },
  { title: 'What stands now' },
] as const

/** The case went on without the viewer: what was to be sent, beside what is. Nothing that was typed is lost. */
export const Stale = (view: CaseView): VNode => (
  <div class="stale" id="errors" role="alert">
    <Note tone="warn" title="The case has moved on since you read it">
      <p>Nothing was sent. Compare, then go on below: what you typed is still there.</p>
    </Note>
    <Table label="What you typed and what stands now" columns={COLUMNS}>
      {rowsOf(view).map(([name, mine, now]) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td>{mine}</td>
          <td>{now}</td>
        </tr>
      ))}
    </Table>
  </div>
)

const NOTHING = '–'

function rowsOf({ one, typed, viewer }: CaseView): [name: string, mine: string, now: string][] {
  const last = one.decisions?.findLast(({ standing }) => standing !== 'ended')
  const verdict = typed['verdict']
  const reason = typed['reason']
  return [
    ['Case', 'claimed by you', holderOf(one, viewer.pseudonym)],
    // Its source may be all that has moved it.
    ['Signal', 'as you read it', `revision ${one.revision}`],
    ['Verdict', verdict ? verdictLabel(verdict) : NOTHING, last === undefined ? NOTHING : verdictLabel(last.verdict)],
    ['Reason', reason ? reasonLabel(reason) : NOTHING, last === undefined ? NOTHING : reasonLabel(last.reason)],
    ['Counts', countsOf(typed), last === undefined ? NOTHING : countsOf(last.counts)],
    ['Decided by', `${viewer.pseudonym} (you)`, last?.decided_by ?? NOTHING],
  ]
}

function holderOf({ state, lease, assigned_to }: CaseView['one'], me: string): string {
  if (state !== 'open') return STATE_WORDS[state].toLowerCase()
  const holder = lease?.holder ?? assigned_to
  if (holder === undefined) return 'open, nobody works on it'
  return holder === me ? 'open, yours' : `open, ${holder} works on it`
}

const countsOf = (counts: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(COUNT_WORDS)
    .flatMap(([name, label]) => {
      const n = counts[name]
      return n === undefined || n === '' ? [] : [`${label}: ${n}`]
    })
    .join(', ') || NOTHING
