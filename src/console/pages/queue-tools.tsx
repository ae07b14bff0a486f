import type { VNode } from 'preact'
import type { QueueCounts } from '../../review/schema.ts'
import { SIGNAL_TYPE } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { Button, Form } from '../parts/form.tsx'
import { Icon } from '../parts/icon.tsx'
import { type QueueFilter, termOf, termsOf, textOf } from '../queue-filter.ts'
import type { Viewer } from '../viewer.ts'
import { plain, STATE_WORDS, typeLabel } from '../words.ts'

interface ToolsProps {
  viewer: Viewer
  filter: QueueFilter
  unread?: string
  counts: QueueCounts
  categories: readonly string[]
  sources: readonly string[]
}

/** Views, filters and the way into the work. */
export const QueueTools = (props: ToolsProps): VNode => (
  <div class="queue-tools">
    <div class="queue-tools-line">
      <Views filter={props.filter} counts={props.counts} />
      <Form action={links.claimNext()} csrf={props.viewer.csrf}>
        <Button kind="primary" keyName="n" title="Claims the first case of the queue that nobody works on">
          Start reviewing
        </Button>
      </Form>
    </div>
    <div class="queue-tools-line">
      <Chips filter={props.filter} />
      <FindForm filter={props.filter} unread={props.unread} />
      <FilterForm {...props} />
    </div>
  </div>
)

/** What people look for each day: a view is a filter with a name. */
const Views = ({ filter, counts }: { filter: QueueFilter; counts: QueueCounts }): VNode => {
  const now = textOf(filter)
  const views: { title: string; filter: QueueFilter; n?: number }[] = [
    { title: 'Incoming', filter: {}, n: counts.open },
    { title: 'Mine', filter: { mine: 'yes' }, n: counts.mine },
    { title: 'Disputed', filter: { disputed: 'yes' }, n: counts.disputed },
    { title: 'Hits here', filter: { hits: 'yes' } },
    { title: 'Parked', filter: { state: 'held' }, n: counts.held },
    { title: 'Decided', filter: { state: 'decided' } },
    { title: 'Closed', filter: { state: 'closed' } },
  ]
  return (
    <nav class="views" aria-label="Views">
      {views.map(({ title, filter, n }) => (
        <a key={title} href={links.queue(filter)} aria-current={textOf(filter) === now ? 'true' : undefined}>
          {title}
          {n !== undefined && n > 0 && <span class="count">{n > 10_000 ? '10 000+' : n}</span>}
        </a>
      ))}
    </nav>
  )
}

const Chips = ({ filter }: { filter: QueueFilter }): VNode | null => {
  const terms = termsOf(filter)
  if (terms.length === 0) return null
  return (
    <ul class="chips" aria-label="Filters">
      {terms.map(({ name, value, without }) => (
        <li key={name}>
          <a class="chip" href={without}>
            <code>{termOf(name, value)}</code>
            <Icon name="cross" />
            <span class="unseen">remove this filter</span>
          </a>
        </li>
      ))}
      <li>
        <a href={links.queue()}>Clear all</a>
      </li>
    </ul>
  )
}

/** The same filter as text. */
const FindForm = ({ filter, unread }: { filter: QueueFilter; unread: string | undefined }): VNode => (
  <form method="get" action={links.findQueue()} class="find">
    <label for="find" class="unseen">
      Filter as text
    </label>
    <input
      type="text"
      id="find"
      name="text"
      class="input"
      maxLength={200}
      autoComplete="off"
      placeholder="type:url severity:>=high"
      value={unread ?? textOf(filter)}
      data-key="/"
      aria-invalid={unread === undefined ? undefined : true}
      aria-describedby={unread === undefined ? undefined : 'find-error'}
    />
    {unread !== undefined && (
      <p class="field-error" id="find-error">
        Write terms such as type:url category:grooming severity:&gt;=high source:aster hits:yes disputed:yes mine:yes
        state:held, each once.
      </p>
    )}
  </form>
)

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const

/** The same filter as choices. */
const FilterForm = ({ filter, categories, sources }: ToolsProps): VNode => (
  <details class="filter">
    <summary>
      Filter <Icon name="down" />
    </summary>
    <form method="get" action={links.queue()} class="filter-body">
      <Choose name="state" label="State" value={filter.state} of={Object.entries(STATE_WORDS)} any="Open" />
      <Choose
        name="type"
        label="Type"
        value={filter.type}
        of={Object.keys(SIGNAL_TYPE).map((one) => [one, typeLabel(one)])}
      />
      <Choose
        name="category"
        label="Category"
        value={filter.category}
        of={categories.map((one) => [one, plain(one)])}
      />
      <Choose
        name="severity"
        label="Severity at least"
        value={filter.severity}
        of={SEVERITIES.map((one) => [one, plain(one)])}
      />
      <Choose name="source" label="From" value={filter.source} of={sources.map((one) => [one, one])} />
      <Choose name="hits" label="Hits here" value={filter.hits} of={YES_NO} />
      <Choose name="disputed" label="Disputed" value={filter.disputed} of={YES_NO} />
      <Choose name="mine" label="Mine alone" value={filter.mine} of={[['yes', 'Yes']]} />
      <Button kind="primary">Show</Button>
    </form>
  </details>
)

const YES_NO = [
  ['yes', 'Yes'],
  ['no', 'No'],
] as const

interface ChooseProps {
  name: string
  label: string
  value: string | undefined
  of: readonly (readonly [value: string, label: string])[]
  any?: string
}

const Choose = ({ name, label, value, of, any = 'Any' }: ChooseProps): VNode => (
  <div class="field">
    <label for={`filter-${name}`}>{label}</label>
    <select id={`filter-${name}`} name={name} class="input">
      <option value="">{any}</option>
      {of.map(([one, text]) => (
        <option key={one} value={one} selected={one === value}>
          {text}
        </option>
      ))}
    </select>
  </div>
)
