import type { VNode } from 'preact'
import { heatOf } from '../../governance/matrix.ts'
import { MEASURES, type Measure } from '../../governance/measure.ts'
import type { MatrixCell, MatrixQuery, MatrixResult } from '../../governance/schema.ts'
import { type Href, links } from '../links.ts'
import { byName, cellAt, shownIn } from '../matrix-file.ts'
import { Choose } from '../parts/filter.tsx'
import { Button } from '../parts/form.tsx'
import { Empty } from '../parts/note.tsx'
import { numberText } from '../parts/text.tsx'
import { plain } from '../words.ts'

export interface MatrixView {
  matrix: MatrixResult
  measure: Measure
  asked: MatrixQuery
  /** Of one organisation alone. */
  own: boolean
  groups: readonly string[]
  categories: readonly string[]
  least: number
  now: Date
}

const WORDS: Readonly<Record<Measure, string>> = {
  shared: 'Signals shared',
  confirmed: 'Confirmed',
  not_violating: 'Not violating',
  disputed: 'Disputed',
  median_hours: 'Hours to the first answer (median)',
}

/** Who shared with whom: lines are sources, columns recipients. */
export const MatrixPage = (view: MatrixView): VNode => {
  const { matrix, own } = view
  return (
    <div class="matrix-page">
      <p class="lead">
        {own ? 'What your organisation shared and what was shared with it' : 'Who shared with whom'}, {matrix.from} to{' '}
        {matrix.to} (without that day). Lines are sources, columns recipients.
      </p>
      <Choices {...view} />
      {matrix.participants.length < 2 ? (
        <Empty title="There is nobody to share with yet">A matrix begins with two participants.</Empty>
      ) : (
        <>
          <Square {...view} />
          <Legend {...view} />
        </>
      )}
      <p class="muted">
        Counted from the log as its entries are integrated, up to entry {matrix.upto}. <code>aldis log matrix</code>{' '}
        tells the same.
      </p>
    </div>
  )
}

const queryOf = ({ asked, measure }: MatrixView): Record<string, string | undefined> => ({ ...asked, measure })

const DAY_MS = 86_400_000
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const PERIODS = [
  ['Last 30 days', 30],
  ['Last 90 days', 90],
  ['Last year', 365],
] as const

const Choices = (view: MatrixView): VNode => {
  const { matrix, measure, asked, groups, categories, now } = view
  const end = Date.parse(dayOf(now.getTime() + DAY_MS))
  const [from, to] = [Date.parse(matrix.from), Date.parse(matrix.to)]
  const shift = (days: number): Href =>
    links.shareMatrix({ ...queryOf(view), from: dayOf(from + days * DAY_MS), to: dayOf(to + days * DAY_MS) })
  const days = (to - from) / DAY_MS
  return (
    <>
      <nav class="views" aria-label="Periods">
        {PERIODS.map(([title, n]) => (
          <a
            key={title}
            href={links.shareMatrix({ ...queryOf(view), from: dayOf(end - n * DAY_MS), to: dayOf(end) })}
            aria-current={to === end && days === n ? 'true' : undefined}
          >
            {title}
          </a>
        ))}
        <a href={shift(-days)}>Period before</a>
      </nav>
      <form method="get" action={links.shareMatrix()} class="matrix-choices" aria-label="What to count">
        <Choose
          name="measure"
          label="Measure"
          value={measure}
          of={MEASURES.map((one) => [one, WORDS[one]])}
          any="Signals shared"
        />
        <div class="field">
          <label for="matrix-from">From</label>
          <input id="matrix-from" name="from" type="date" class="input" value={matrix.from} />
        </div>
        <div class="field">
          <label for="matrix-to">To, without it</label>
          <input id="matrix-to" name="to" type="date" class="input" value={matrix.to} />
        </div>
        <Choose name="group" label="Group" value={asked.group} of={groups.map((one) => [one, one])} />
        <Choose
          name="category"
          label="Category"
          value={asked.category}
          of={categories.map((one) => [one, plain(one)])}
        />
        <Button kind="primary">Show</Button>
        <a href={links.shareMatrixFile(queryOf(view))} download>
          CSV
        </a>
      </form>
    </>
  )
}

const Square = (view: MatrixView): VNode => {
  const { matrix, measure } = view
  const known = byName(matrix.cells)
  const most = Math.max(0, ...matrix.cells.map((cell) => shownIn(cell, measure) ?? 0))
  const sums = measure !== 'median_hours'
  const scrolled = { tabIndex: 0 } as const
  return (
    <section class="scroll" aria-label="Matrix" {...scrolled}>
      <table class="table matrix" id="matrix">
        <caption class="unseen">
          {WORDS[measure]}, {matrix.from} to {matrix.to}
        </caption>
        <thead>
          <tr>
            <th scope="col">From ↓ to →</th>
            {matrix.participants.map((recipient) => (
              <th key={recipient} scope="col" class="number">
                {recipient}
              </th>
            ))}
            {sums && (
              <th scope="col" class="number">
                Sum
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {matrix.participants.map((source) => (
            <tr key={source}>
              <th scope="row">{source}</th>
              {matrix.participants.map((recipient) => (
                <Cell key={recipient} {...{ view, source, recipient, most }} cell={cellAt(known, source, recipient)} />
              ))}
              {sums && (
                <td class="number matrix-sum">
                  {numberText(sumOf(view, source))}
                  {measure === 'shared' && <span class="matrix-before">{numberText(beforeOf(view, source))}</span>}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const sumOf = ({ matrix, measure }: MatrixView, source: string): number =>
  matrix.cells.reduce((n, cell) => n + (cell.source === source ? (shownIn(cell, measure) ?? 0) : 0), 0)

const beforeOf = ({ matrix }: MatrixView, source: string): number =>
  matrix.cells.reduce((n, cell) => n + (cell.source === source ? cell.before : 0), 0)

interface CellProps {
  view: MatrixView
  source: string
  recipient: string
  cell: MatrixCell | undefined
  most: number
}

const EXPECTED: Readonly<Record<MatrixCell['expected'], { mark: string; why: string }>> = {
  'as-allowed': { mark: '', why: 'as their audiences allow' },
  'unexpected-zero': {
    mark: '!',
    why: 'they share an audience and the source shares with others, but nothing reached this one',
  },
  'unexpected-flow': { mark: '!', why: 'shared, and no audience of today holds both' },
  none: { mark: '', why: 'no audience holds both, or the source shared nothing' },
}

const Cell = ({ view, source, recipient, cell, most }: CellProps): VNode => {
  const { measure } = view
  if (source === recipient || cell === undefined)
    return (
      <td class="number">
        <span class="muted">·</span>
      </td>
    )
  const value = shownIn(cell, measure)
  const { mark, why } = measure === 'shared' ? EXPECTED[cell.expected] : { mark: '', why: '' }
  const change = measure === 'shared' ? changeOf(cell) : undefined
  const heat = heatOf(value, most)
  const text = value === undefined ? '–' : numberText(value)
  return (
    <td class={`number h${heat}${mark === '' ? '' : ' matrix-odd'}`}>
      <a
        href={drillOf(view, source, recipient)}
        data-cell
        title={[`${source} to ${recipient}`, why, change].filter((one) => one !== undefined && one !== '').join('; ')}
        aria-label={[`${source} to ${recipient}: ${text}`, mark === '' ? '' : `unexpected: ${why}`, change ?? '']
          .filter((one) => one !== '')
          .join(', ')}
      >
        {text}
        {mark !== '' && <strong>{mark}</strong>}
      </a>
      {change !== undefined && <Before cell={cell} />}
    </td>
  )
}

/** Of the period of the same length before, as a figure beside. */
const Before = ({ cell: { shared, before } }: { cell: MatrixCell }): VNode => (
  <span class="matrix-before" aria-hidden="true">
    {numberText(before)}
    {shared > before ? ' ↑' : shared < before ? ' ↓' : ''}
  </span>
)

const changeOf = ({ shared, before }: MatrixCell): string =>
  shared === before ? `${before} in the period before, the same` : `${before} in the period before`

/** The entries that a cell is made of. */
function drillOf({ matrix, measure }: MatrixView, source: string, recipient: string): Href {
  const range = `at>=${matrix.from} at<${matrix.to}`
  if (measure === 'shared')
    return links.explorer({ q: `kind:signal.submitted actor:${source} recipient:${recipient} ${range}` })
  const kind = measure === 'disputed' ? 'dispute.opened' : 'feedback.given'
  return links.explorer({ q: `kind:${kind} actor:${recipient} recipient:${source} ${range}` })
}

const Legend = ({ measure, least }: MatrixView): VNode => (
  <div class="matrix-legend muted">
    <p>
      <span aria-hidden="true">
        {[0, 1, 2, 3, 4, 5, 6].map((n) => (
          <span key={n} class={`heat-step h${n}`} />
        ))}
      </span>{' '}
      the stronger, the more{measure === 'median_hours' ? ' hours' : ''}, by the square root.
    </p>
    {measure === 'shared' && (
      <p>
        <strong>!</strong> unexpected: a zero where both are in one audience and the source shares with others, or a
        flow that no audience of today allows; hold the pointer over a cell for the reason. The smaller figure is of the
        period of the same length before.
      </p>
    )}
    <p>
      Arrow keys move between cells, Enter opens the entries of one. The file leaves out counts below {least}, and as
      many others as it takes that no sum tells them.
    </p>
  </div>
)
