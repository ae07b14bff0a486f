import type { VNode } from 'preact'
import { SAID } from '../../feedback/sent-schema.ts'
import { SIGNAL_TYPE } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { Chips, Choose, FilterForm, FindForm, Views } from '../parts/filter.tsx'
import { SaveView } from '../parts/saved.tsx'
import type { SavedView } from '../saved-views.ts'
import { parseSentText, type SentFilter, sentTerms, sentText } from '../sent-filter.ts'
import { outcomeLabel, SENT_STATES } from '../sent-words.ts'
import type { Viewer } from '../viewer.ts'
import { plain, typeLabel } from '../words.ts'

interface ToolsProps {
  viewer: Viewer
  filter: SentFilter
  saved: readonly SavedView[]
  unread?: string
  categories: readonly string[]
}

/** Views, chips, the same filter as text, and as choices. */
export const SentTools = ({ viewer, filter, saved, unread, categories }: ToolsProps): VNode => (
  <div class="queue-tools">
    <div class="queue-tools-line">
      <Views views={[...viewsOf(filter), ...savedOf(saved, filter)]} />
    </div>
    <div class="queue-tools-line">
      <Chips
        terms={sentTerms(filter).map(({ name, value, without }) => ({ text: `${name}:${value}`, without }))}
        all={links.submissions()}
      />
      <FindForm
        {...{ action: links.findSubmissions(), text: sentText(filter), unread, help: HELP }}
        example="type:url said:needs_information"
      />
      <FilterForm action={links.submissions()}>
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
      </FilterForm>
      <SaveView {...{ viewer, screen: 'submissions', saved, filter: sentText(filter) }} />
    </div>
  </div>
)

const HELP = 'Write terms such as type:url state:live category:grooming said:disputed, each once.'

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

const savedOf = (saved: readonly SavedView[], filter: SentFilter) =>
  saved.flatMap(({ view, name, filter: text }) => {
    const own = parseSentText(text)
    if (own === undefined) return []
    return [{ id: view, title: name, href: links.submissions(own), current: text === sentText(filter) }]
  })

const viewsOf = (filter: SentFilter) =>
  VIEWS.map(({ title, filter: own }) => ({
    ...{ title, href: links.submissions(own) },
    current: sentText(own) === sentText(filter),
  }))
