import type { VNode } from 'preact'
import { Lookup } from '../../feeds/schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { SignalItem } from '../../signals/schema.ts'
import { links } from '../links.ts'
import { CommandLine } from '../parts/command.tsx'
import { Button, Field, Form } from '../parts/form.tsx'
import { Empty, Errors, Note } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import { Hash, Time } from '../parts/text.tsx'
import type { SearchedGroup } from '../searching.ts'
import type { Viewer } from '../viewer.ts'
import { plain, typeLabel } from '../words.ts'
import { SeverityMark } from './case-parts.tsx'
import { ValueFields } from './value-fields.tsx'

/** A live signal that a key led to. */
export interface Found {
  key: string
  source: string
  signal: string
  revision: number
  item: SignalItem
}

export interface SearchView {
  viewer: Viewer
  groups: readonly SearchedGroup[]
  suites: readonly string[]
  /** Of a search that was made: how many keys were asked for, and what they led to. */
  result?: { asked: number; found: readonly Found[]; purpose: string; read: string }
  refusal?: Refusal
  /** A text that is neither an id of one's own nor a view. */
  unread?: string
  now: Date
}

/** Is something of ours known to others? The value stays in the tab. */
export const SearchPage = (view: SearchView): VNode => (
  <div class="search">
    {view.result !== undefined && <Result {...view} result={view.result} />}
    <div class="columns">
      <section class="part" aria-labelledby="value-title">
        <h2 id="value-title">{view.result === undefined ? 'A value' : 'Another value'}</h2>
        <noscript>
          <Note
            tone="warn"
            title="Searching needs JavaScript: the value is hashed in this tab, so that it is never sent"
          >
            <p>Without it, ask where your keys are. Each line of the file is one value.</p>
            <CommandLine label="Look values up" command="aldis lookup values.ndjson --purpose investigation" />
          </Note>
        </noscript>
        <Errors refusal={view.refusal} />
        <ValueForm {...view} />
      </section>
      <section class="part" aria-labelledby="id-title">
        <h2 id="id-title">An id or a view</h2>
        <IdForm unread={view.unread} />
        <Groups groups={view.groups} />
      </section>
    </div>
  </div>
)

const BY_COMMAND = ['email', 'phone', 'username', 'account_id', 'payment_handle', 'ip'] as const

/** Shown once a script can fill it. */
const ValueForm = ({ viewer, suites }: SearchView): VNode => (
  <Form action={links.search()} csrf={viewer.csrf} id="search" class="fields search-form" hidden>
    <ValueFields
      keyName="/"
      more={
        <optgroup label="By command line only">
          {BY_COMMAND.map((type) => (
            <option key={type} value={type} data-by="command">
              {typeLabel(type)}
            </option>
          ))}
        </optgroup>
      }
    />
    <div class="field" data-in-tab>
      <label for="f-purpose">Why you ask</label>
      <select id="f-purpose" name="purpose" class="input" required>
        <option value="">Choose a purpose</option>
        {Lookup.properties.purpose.enum.map((one) => (
          <option key={one} value={one}>
            {plain(one)}
          </option>
        ))}
      </select>
      <p class="hint">
        The question and its purpose are recorded in the log, and each source is told how much was found of its own.
      </p>
    </div>
    {BY_COMMAND.map((type) => (
      <ByCommand key={type} type={type} suites={suites} />
    ))}
    <Button kind="primary">Search</Button>
    {/* Behind the button: what appears when the field is left moves nothing that is about to be pressed. */}
    <div id="keys" class="search-keys" role="status" data-in-tab />
  </Form>
)

const ByCommand = ({ type, suites }: { type: string; suites: readonly string[] }): VNode => {
  const service = ['username', 'account_id', 'payment_handle'].includes(type) ? ',"service":"…"' : ''
  return (
    <div data-by-command={type} hidden>
      <Note title={`${typeLabel(type)}: by command line only`}>
        <p>
          {suites.includes('hmac-sha256')
            ? 'Its token is made with a key that stays out of browsers.'
            : 'Its token is made together with the node, by more code than a page of the console may load.'}
        </p>
        <CommandLine
          label="Look it up where your keys are"
          command={`echo '{"type":"${type}","raw":"…"${service}}' | aldis lookup - --purpose investigation`}
        />
      </Note>
    </div>
  )
}

const IdForm = ({ unread }: { unread: string | undefined }): VNode => (
  <form method="get" action={links.findAnything()} class="fields">
    <Field
      {...{ name: 'text', id: 'find', label: 'Id of a signal of ours, or a filter', value: unread, maxLength: 200 }}
      hint="Such as severity:>=high type:url. No values: what stands here is part of an address."
      error={unread === undefined ? undefined : 'Neither the id of a signal of yours nor a filter of the queue.'}
    />
    <Button>Go</Button>
  </form>
)

/** Which groups a search reaches, so that nothing found means something. */
const Groups = ({ groups }: { groups: readonly SearchedGroup[] }): VNode => {
  const [open, sealed] = [groups.filter((one) => !one.sealed), groups.filter((one) => one.sealed)]
  return (
    <div class="search-groups">
      <h3>Searched</h3>
      {open.length === 0 ? (
        <p class="muted">No group: your organisation is in none that can be searched.</p>
      ) : (
        <Labels groups={open} />
      )}
      {sealed.length > 0 && (
        <>
          <h3>Not searched: sealed</h3>
          <Labels groups={sealed} />
          <CommandLine
            label="Ask sealed groups"
            command="aldis lookup values.ndjson --private --purpose investigation"
          />
        </>
      )}
    </div>
  )
}

const Labels = ({ groups }: { groups: readonly SearchedGroup[] }): VNode => (
  <ul class="labels">
    {groups.map(({ label }) => (
      <li key={label}>{label}</li>
    ))}
  </ul>
)

const Result = ({ result, groups, now }: SearchView & { result: NonNullable<SearchView['result']> }): VNode => {
  const { asked, found, purpose } = result
  const searched = groups.filter(({ sealed }) => !sealed).map(({ label }) => label)
  return (
    <section class="part" aria-labelledby="result-title">
      <h2 id="result-title" tabIndex={-1} data-focus>
        {found.length === 0 ? 'Nothing found' : `${found.length} ${found.length === 1 ? 'signal' : 'signals'} found`}
      </h2>
      {found.length === 0 ? (
        <Empty title={searched.length === 0 ? 'No group was searched' : `Searched in ${searched.join(', ')}`}>
          {asked === 1 ? 'The key leads' : `None of the ${asked} keys leads`}{' '}
          {asked === 1 ? 'to no live signal' : 'to a live signal'}. A value may be written in another way, or be shared
          in a sealed group.
        </Empty>
      ) : (
        <Signals found={found} now={now} />
      )}
      <p class="hint">
        {asked === 1 ? 'One key' : `${asked} keys`} asked for the purpose of {purpose}. Recorded in the log
        {result.read === '' ? (
          '.'
        ) : (
          <>
            {' '}
            as <Hash value={result.read} label="name of the read" />
          </>
        )}
      </p>
    </section>
  )
}

const Signals = ({ found, now }: { found: readonly Found[]; now: Date }): VNode => (
  <Table
    label="Signals found"
    columns={[
      { title: 'Signal' },
      { title: 'Category' },
      { title: 'Severity' },
      { title: 'From' },
      { title: 'Basis' },
      { title: 'Confidence', numeric: true },
      { title: 'Asks for' },
      { title: 'Seen' },
    ]}
  >
    {found.map(({ key, source, signal, item }) => (
      <tr key={`${key}/${source}/${signal}`}>
        <td>
          {typeLabel(item.type)} <Hash value={signal} label="id" />
        </td>
        <td>{plain(item.category)}</td>
        <td>
          <SeverityMark severity={item.severity} />
        </td>
        <td>{source}</td>
        <td>{plain(item.basis)}</td>
        <td class="number">{item.confidence}</td>
        <td>{plain(item.handling)}</td>
        <td>
          <Time at={new Date(item.observed_at)} now={now} />
        </td>
      </tr>
    ))}
  </Table>
)
