import type { VNode } from 'preact'
import { SAID } from '../../feedback/sent-schema.ts'
import { SIGNAL_TYPE } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { Button } from '../parts/form.tsx'
import { Icon } from '../parts/icon.tsx'
import { type SentFilter, sentTerms, sentText } from '../sent-filter.ts'
import { outcomeLabel, SENT_STATES } from '../sent-words.ts'
import { plain, typeLabel } from '../words.ts'

interface ToolsProps {
  filter: SentFilter
  unread?: string
  categories: readonly string[]
}

/** Views, chips, the same filter as text, and as choices. */
export const SentTools = ({ filter, unread, categories }: ToolsProps): VNode => (
  <div class="queue-tools">
    <div class="queue-tools-line">
      <Views filter={filter} />
    </div>
    <div class="queue-tools-line">
      <Chips filter={filter} />
      <FindForm filter={filter} unread={unread} />
      <details class="filter">
        <summary>
          Filter <Icon name="down" />
        </summary>
        <form method="get" action={links.submissions()} class="filter-body">
          <Choose
            {...{ name: 'state', label: 'State', value: filter.state }}
            of={Object.entries(SENT_STATES).map(([name, { label }]) => [name, label])}
          />
          <Choose
            {...{ name: 'type', label: 'Type', value: filter.type }}
            of={Object.keys(SIGNAL_TYPE).map((one) => [one, typeLabel(one)])}
          />
          <Choose
            {...{ name: 'category', label: 'Category', value: filter.category }}
            of={categories.map((one) => [one, plain(one)])}
          />
          <Choose
            {...{ name: 'said', label: 'Said of it', value: filter.said }}
            of={SAID.map((one) => [one, saidLabel(one)])}
          />
          <Button kind="primary">Show</Button>
        </form>
      </details>
    </div>
  </div>
)

const saidLabel = (said: (typeof SAID)[number]): string => {
  if (said === 'nothing') return 'Nothing yet'
  return said === 'disputed' ? 'Disputed' : outcomeLabel(said)
}

const VIEWS: readonly { title: string; filter: SentFilter }[] = [
  { title: 'All', filter: {} },
  { title: 'Asked', filter: { said: 'needs_information' } },
  { title: 'Not violating', filter: { said: 'not_violating' } },
  { title: 'Disputed', filter: { said: 'disputed' } },
  { title: 'Held', filter: { state: 'held' } },
  { title: 'Withdrawn', filter: { state: 'withdrawn' } },
]

const Views = ({ filter }: { filter: SentFilter }): VNode => (
  <nav class="views" aria-label="Views">
    {VIEWS.map((view) => (
      <a
        key={view.title}
        href={links.submissions(view.filter)}
        aria-current={sentText(view.filter) === sentText(filter) ? 'true' : undefined}
      >
        {view.title}
      </a>
    ))}
  </nav>
)

const Chips = ({ filter }: { filter: SentFilter }): VNode | null => {
  const terms = sentTerms(filter)
  if (terms.length === 0) return null
  return (
    <ul class="chips" aria-label="Filters">
      {terms.map(({ name, value, without }) => (
        <li key={name}>
          <a class="chip" href={without}>
            <code>
              {name}:{value}
            </code>
            <Icon name="cross" />
            <span class="unseen">remove this filter</span>
          </a>
        </li>
      ))}
      <li>
        <a href={links.submissions()}>Clear all</a>
      </li>
    </ul>
  )
}

const FindForm = ({ filter, unread }: { filter: SentFilter; unread: string | undefined }): VNode => (
  <search class="find">
    <form method="get" action={links.findSubmissions()}>
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
        placeholder="type:url said:needs_information"
        value={unread ?? sentText(filter)}
        data-key="/"
        aria-invalid={unread === undefined ? undefined : true}
        aria-describedby={unread === undefined ? undefined : 'find-error'}
      />
      {unread !== undefined && (
        <p class="field-error" id="find-error">
          Write terms such as type:url state:live category:grooming said:disputed, each once.
        </p>
      )}
    </form>
  </search>
)

interface ChooseProps {
  name: string
  label: string
  value: string | undefined
  of: readonly (readonly [value: string, label: string])[]
}

const Choose = ({ name, label, value, of }: ChooseProps): VNode => (
  <div class="field">
    <label for={`filter-${name}`}>{label}</label>
    <select id={`filter-${name}`} name={name} class="input">
      <option value="">Any</option>
      {of.map(([one, text]) => (
        <option key={one} value={one} selected={one === value}>
          {text}
        </option>
      ))}
    </select>
  </div>
)
