import type { VNode } from 'preact'
import type { WordsInfo, WordsType } from '../../feeds/pattern-schema.ts'
import { type Href, links } from '../links.ts'
import { Views } from '../parts/filter.tsx'
import { Button } from '../parts/form.tsx'
import { Empty } from '../parts/note.tsx'
import { Pager, Table } from '../parts/table.tsx'
import { spanText } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { plain } from '../words.ts'
import { SeverityMark, shortId } from './case-parts.tsx'

export interface TacticsFilter {
  type?: WordsType
  source?: string
}

export interface TacticsView {
  viewer: Viewer
  filter: TacticsFilter
  patterns: readonly WordsInfo[]
  sources: readonly string[]
  first: Href | undefined
  next: Href | undefined
  now: Date
}

/** Patterns and tactics that the organisation has or was given, by their codes: no words of them stand here. */
export const TacticsPage = (view: TacticsView): VNode => (
  <div class="tactics">
    <p class="lead">
      Patterns and tactics by their codes. Their words are revealed one by one, and each look is recorded.
    </p>
    <Tools {...view} />
    {view.patterns.length === 0 ? <Nothing {...view} /> : <Patterns {...view} />}
    <Pager
      label="Pages of the board"
      first={view.first}
      next={view.next}
      shown={`${view.patterns.length} ${view.patterns.length === 1 ? 'entry' : 'entries'} on this page`}
    />
  </div>
)

const Tools = ({ viewer, filter, sources }: TacticsView): VNode => {
  const views: { title: string; filter: TacticsFilter }[] = [
    { title: 'All', filter: {} },
    { title: 'Patterns', filter: { type: 'keyword_pattern' } },
    { title: 'Tactics', filter: { type: 'tactic' } },
    { title: 'Our own', filter: { source: viewer.organisation } },
  ]
  const is = (one: TacticsFilter): boolean => one.type === filter.type && one.source === filter.source
  return (
    <div class="queue-tools queue-tools-line">
      <Views
        views={views.map(({ title, filter: own }) => ({ title, href: links.tactics({ ...own }), current: is(own) }))}
      />
      <form method="get" action={links.tactics()} class="find tactics-from">
        {filter.type !== undefined && <input type="hidden" name="type" value={filter.type} />}
        <label for="from">From</label>
        <select id="from" name="source" class="input">
          <option value="">Everybody</option>
          {sources.map((one) => (
            <option key={one} value={one} selected={one === filter.source}>
              {one}
            </option>
          ))}
        </select>
        <Button>Show</Button>
      </form>
    </div>
  )
}

export const kindLabel = ({ type, kind }: Pick<WordsInfo, 'type' | 'kind'>): string => {
  if (type === 'tactic') return 'Tactic'
  return kind === 're2' ? 'Expression' : 'Literal'
}

const Patterns = ({ viewer, patterns, now }: TacticsView): VNode => (
  <Table
    id="patterns"
    label="Patterns and tactics"
    columns={[
      { title: 'Entry' },
      { title: 'Category' },
      { title: 'Severity' },
      { title: 'From' },
      { title: 'Language' },
      { title: 'Basis' },
      { title: 'Confidence', numeric: true },
      { title: 'Revision', numeric: true },
      { title: 'Seen', numeric: true },
      { title: 'Expires in', numeric: true },
    ]}
  >
    {patterns.map((one) => (
      <tr key={`${one.source}/${one.signal}`} data-row>
        <td>
          <a href={links.tactic(one.source, one.signal)} data-open-row>
            {kindLabel(one)} <code>{shortId(one.signal)}</code>
          </a>
        </td>
        <td>{plain(one.category)}</td>
        <td>
          <SeverityMark severity={one.severity} />
        </td>
        <td>{one.source === viewer.organisation ? <span class="muted">our own</span> : one.source}</td>
        <td>{one.language ?? <span class="muted">–</span>}</td>
        <td>{plain(one.basis)}</td>
        <td class="number">{one.confidence}</td>
        <td class="number">{one.revision}</td>
        <td class="number">{spanText(now.getTime() - Date.parse(one.observed_at))} ago</td>
        <td class="number">{spanText(Date.parse(one.expires_at) - now.getTime())}</td>
      </tr>
    ))}
  </Table>
)

const Nothing = ({ filter }: TacticsView): VNode =>
  filter.type === undefined && filter.source === undefined ? (
    <Empty title="No pattern and no tactic yet">
      Share the first: <code>aldis pattern test FILE</code> tries it at home, <code>aldis submit FILE</code> sends it.
    </Empty>
  ) : (
    <Empty title="Nothing fits this view">
      <a href={links.tactics()}>Show everything</a>
    </Empty>
  )
