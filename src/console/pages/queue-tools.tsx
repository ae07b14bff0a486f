import type { VNode } from 'preact'
import type { QueueCounts } from '../../review/schema.ts'
import { SIGNAL_TYPE } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { Chips, Choose, FilterForm, FindForm, Views } from '../parts/filter.tsx'
import { Button, Form } from '../parts/form.tsx'
import { SaveView } from '../parts/saved.tsx'
import { parseText, type QueueFilter, termOf, termsOf, textOf } from '../queue-filter.ts'
import type { SavedView } from '../saved-views.ts'
import type { Viewer } from '../viewer.ts'
import { plain, STATE_WORDS, typeLabel } from '../words.ts'

interface ToolsProps {
  viewer: Viewer
  filter: QueueFilter
  unread?: string
  counts: QueueCounts
  saved: readonly SavedView[]
  categories: readonly string[]
  sources: readonly string[]
}

/** Views, filters and the way into the work. */
export const QueueTools = (props: ToolsProps): VNode => (
  <div class="queue-tools">
    <div class="queue-tools-line">
      <Views views={[...viewsOf(props), ...savedOf(props)]} />
      <Form action={links.claimNext()} csrf={props.viewer.csrf}>
        <Button kind="primary" keyName="n" title="Claims the first case of the queue that nobody works on">
          Start reviewing
        </Button>
      </Form>
    </div>
    <div class="queue-tools-line">
      <Chips
        terms={termsOf(props.filter).map(({ name, value, without }) => ({ text: termOf(name, value), without }))}
        all={links.queue()}
      />
      <FindForm
        {...{ action: links.findQueue(), text: textOf(props.filter), unread: props.unread, help: HELP }}
        example="type:url severity:>=high"
      />
      <Choices {...props} />
      <SaveView {...{ viewer: props.viewer, screen: 'queue', saved: props.saved, filter: textOf(props.filter) }} />
    </div>
  </div>
)

const HELP =
  'Write terms such as type:url category:grooming severity:>=high source:aster hits:yes disputed:yes mine:yes state:held, each once.'

/** What people look for each day. */
const viewsOf = ({ filter, counts }: Pick<ToolsProps, 'filter' | 'counts'>) => {
  const views: { title: string; filter: QueueFilter; n?: number }[] = [
    { title: 'Incoming', filter: {}, n: counts.open },
    { title: 'Mine', filter: { mine: 'yes' }, n: counts.mine },
    { title: 'Disputed', filter: { disputed: 'yes' }, n: counts.disputed },
    { title: 'Hits here', filter: { hits: 'yes' } },
    { title: 'Parked', filter: { state: 'held' }, n: counts.held },
    { title: 'Decided', filter: { state: 'decided' } },
    { title: 'Closed', filter: { state: 'closed' } },
  ]
  return views.map(({ filter: own, ...view }) => ({
    ...view,
    href: links.queue(own),
    current: textOf(own) === textOf(filter),
  }))
}

/** Views that were saved; one whose filter is none any more is not shown. */
const savedOf = ({ saved, filter }: Pick<ToolsProps, 'saved' | 'filter'>) =>
  saved.flatMap(({ view, name, filter: text }) => {
    const own = parseText(text)
    return own === undefined
      ? []
      : [{ id: view, title: name, href: links.queue(own), current: text === textOf(filter) }]
  })

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const

const Choices = ({ filter, categories, sources }: ToolsProps): VNode => (
  <FilterForm action={links.queue()}>
    <Choose name="state" label="State" value={filter.state} of={Object.entries(STATE_WORDS)} any="Open" />
    <Choose
      name="type"
      label="Type"
      value={filter.type}
      of={Object.keys(SIGNAL_TYPE).map((one) => [one, typeLabel(one)])}
    />
    <Choose name="category" label="Category" value={filter.category} of={categories.map((one) => [one, plain(one)])} />
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
  </FilterForm>
)

const YES_NO = [
  ['yes', 'Yes'],
  ['no', 'No'],
] as const
