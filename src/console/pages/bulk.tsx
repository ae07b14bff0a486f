import type { VNode } from 'preact'
import { NOTE_MAX, REASONS, VERDICTS } from '../../feedback/schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { CaseInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Button, Form, TextArea } from '../parts/form.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import type { Viewer } from '../viewer.ts'
import { plain, reasonLabel, STATE_WORDS, typeLabel, VERDICT_WORDS, verdictLabel } from '../words.ts'
import { SeverityMark, shortId } from './case-parts.tsx'

/** A case that was selected, and why it would be left as it is. */
export interface Planned {
  one: CaseInfo
  decision: Uuid
  skipped: string | undefined
}

/** What would become of each selected case: whoever decides many at once sees first which ones. */
export const planOf = (cases: readonly CaseInfo[], viewer: Viewer, decisionOf: (id: Uuid) => Uuid): Planned[] =>
  cases.map((one) => ({ one, decision: decisionOf(one.case), skipped: skippedBy(one, viewer) }))

function skippedBy({ state, source, lease, assigned_to }: CaseInfo, viewer: Viewer): string | undefined {
  if (state !== 'open') return `it is ${STATE_WORDS[state].toLowerCase()}`
  if (source === viewer.organisation) return 'it is your own signal'
  const holder = lease?.holder ?? assigned_to
  return holder === undefined || holder === viewer.pseudonym ? undefined : `${holder} works on it`
}

export interface BulkView {
  viewer: Viewer
  planned: readonly Planned[]
  /** How many at most. */
  limit: number
  typed: Readonly<Record<string, string>>
  refusal: Refusal | undefined
}

/** A field of a form, as `<case>.<version>.<decision>`. */
const itemText = ({ one, decision }: Planned): string => `${one.case}.${one.version}.${decision}`

/** The dry run, and the form that carries it out. */
export const BulkPage = ({ viewer, planned, limit, typed, refusal }: BulkView): VNode => {
  const changed = planned.filter(({ skipped }) => skipped === undefined)
  const severities = new Set(changed.map(({ one }) => one.severity)).size
  const isMany = changed.length > limit
  return (
    <div class="bulk">
      <p class="lead">
        <strong>{changed.length}</strong> of {planned.length} selected will change
        {severities > 1 && `, of ${severities} severities`}. Nothing has been done yet.
      </p>
      <Errors refusal={refusal} />
      {isMany && (
        <Note tone="warn" title={`One person decides at most ${limit} cases at once`}>
          Go back and select fewer; what a second person should see is decided case by case.
        </Note>
      )}
      <div class="case-columns">
        <div>
          <Planning planned={planned} />
        </div>
        <div>
          {changed.length > 0 && !isMany && <BulkForm {...{ viewer, changed, typed, refusal }} />}
          <p class="actions">
            <a class="button button-plain" href={links.queue()} data-key="u">
              Back to the queue
            </a>
          </p>
        </div>
      </div>
    </div>
  )
}

const COLUMNS = [
  { title: 'Signal' },
  { title: 'Category' },
  { title: 'Severity' },
  { title: 'From' },
  { title: 'Will it change?' },
] as const

const Planning = ({ planned }: { planned: readonly Planned[] }): VNode =>
  planned.length === 0 ? (
    <Empty title="Nothing was selected">Select rows of the queue by x, or by their boxes.</Empty>
  ) : (
    <Table label="Selected cases" columns={COLUMNS}>
      {planned.map(({ one, skipped }) => (
        <tr key={one.case} data-row>
          <td>
            <a href={links.reviewCase(one.case)} data-open-row>
              {typeLabel(one.type)} <code>{shortId(one.signal)}</code>
            </a>
          </td>
          <td>{plain(one.category)}</td>
          <td>
            <SeverityMark severity={one.severity} />
          </td>
          <td>{one.source}</td>
          <td>{skipped === undefined ? 'yes' : <span class="muted">no: {skipped}</span>}</td>
        </tr>
      ))}
    </Table>
  )

interface BulkFormProps {
  viewer: Viewer
  changed: readonly Planned[]
  typed: BulkView['typed']
  refusal: Refusal | undefined
}

const BulkForm = ({ viewer, changed, typed, refusal }: BulkFormProps): VNode => (
  <Form action={links.decideBulk()} csrf={viewer.csrf} class="decide-form" label="Decide all alike">
    {changed.map((one) => (
      <input type="hidden" key={one.decision} name="item[]" value={itemText(one)} />
    ))}
    <div class="field">
      <label for="bulk-verdict">Verdict and reason</label>
      <select id="bulk-verdict" name="outcome" class="input" required>
        <option value="">Choose</option>
        {VERDICTS.map((verdict) => (
          <optgroup key={verdict} label={VERDICT_WORDS[verdict].label}>
            {[...REASONS[verdict], 'other'].map((reason) => (
              <option
                key={reason}
                value={`${verdict}.${reason}`}
                selected={typed['outcome'] === `${verdict}.${reason}`}
              >
                {`${VERDICT_WORDS[verdict].label}: ${reasonLabel(reason)}`}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </div>
    <TextArea
      {...{
        name: 'note_team',
        label: 'Team note',
        hint: 'For your own team alone.',
        reader: 'private',
        rows: 2,
        maxLength: NOTE_MAX,
      }}
      value={typed['note_team']}
      error={errorOf(refusal, 'note_team')}
    />
    <TextArea
      {...{
        name: 'note_shared',
        label: 'Note visible to each source',
        hint: 'No names, addresses or numbers.',
        reader: 'shared',
        rows: 2,
        maxLength: NOTE_MAX,
      }}
      value={typed['note_shared']}
      error={errorOf(refusal, 'note_shared')}
    />
    <p class="hint">
      What needs a second person is proposed, and waits for one. Everything else may be undone together.
    </p>
    <Button kind="primary" keyName="s">
      Decide {changed.length} {changed.length === 1 ? 'case' : 'cases'}
    </Button>
  </Form>
)

/** What became of one case. */
export interface Outcome {
  case: Uuid
  decision: Uuid
  /** Its state now, or why it was left as it is. */
  state?: CaseInfo['state']
  code?: string
  detail?: string
}

interface OutcomesView {
  viewer: Viewer
  outcomes: readonly Outcome[]
  /** What was decided; absent once it was undone. */
  verdict?: string
}

/** What became of each, with the way back for all of them. */
export const OutcomesPage = ({ viewer, outcomes, verdict }: OutcomesView): VNode => {
  const done = outcomes.filter(({ code }) => code === undefined)
  const undoable = done.filter(({ state }) => state === 'decided')
  return (
    <div class="bulk">
      <p class="lead">
        <strong>{done.length}</strong> of {outcomes.length}{' '}
        {verdict === undefined ? 'undone' : `decided: ${verdictLabel(verdict)}`}
        {done.length < outcomes.length && `, ${outcomes.length - done.length} left as they were`}.
      </p>
      <div class="actions">
        {verdict !== undefined && undoable.length > 0 && (
          <Form action={links.undoBulk()} csrf={viewer.csrf} id="undo-all">
            <Items items={undoable} />
            <Button keyName="z" id="undo-button">
              Undo {undoable.length} {undoable.length === 1 ? 'decision' : 'decisions'}
            </Button>
          </Form>
        )}
        <Form action={links.bulkTable()} csrf={viewer.csrf}>
          <Items items={outcomes} />
          <Button>Results as CSV</Button>
        </Form>
        <a class="button button-plain" href={links.queue()} data-key="u">
          Queue
        </a>
      </div>
      <Table label="Results" columns={[{ title: 'Case' }, { title: 'Result' }, { title: 'Why' }]}>
        {outcomes.map(({ case: id, state, code, detail }) => (
          <tr key={id}>
            <td>
              <a href={links.reviewCase(id)}>
                Case <code>{shortId(id)}</code>
              </a>
            </td>
            <td>{state === undefined ? 'left as it was' : STATE_WORDS[state]}</td>
            <td>
              {code !== undefined && (
                <>
                  {detail} <code class="muted">{code}</code>
                </>
              )}
            </td>
          </tr>
        ))}
      </Table>
    </div>
  )
}

const Items = ({ items }: { items: readonly Outcome[] }): VNode => (
  <>
    {items.map(({ case: id, decision }) => (
      <input type="hidden" key={id} name="item[]" value={`${id}.${decision}`} />
    ))}
  </>
)
