import type { VNode } from 'preact'
import { NOTE_MAX, REASONS, VERDICTS } from '../../feedback/schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { BULK_ALONE, type BulkPlan } from '../../review/bulk-schema.ts'
import { CASES_MAX, type CaseInfo } from '../../review/schema.ts'
import { BULK_CHANGES, bulkResultLabel } from '../bulk-words.ts'
import { links } from '../links.ts'
import { Button, Form, TextArea } from '../parts/form.tsx'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Table } from '../parts/table.tsx'
import type { Viewer } from '../viewer.ts'
import { plain, reasonLabel, VERDICT_WORDS } from '../words.ts'
import { CaseLink, SeverityMark } from './case-parts.tsx'

export interface BulkView {
  viewer: Viewer
  plan: BulkPlan
  /** What is known of the first of them. */
  shown: readonly CaseInfo[]
  /** The id of the job that the form asks for: a second press with the same one changes nothing. */
  job: Uuid
  typed: Readonly<Record<string, string>>
  refusal: Refusal | undefined
}

type Planned = BulkPlan['cases'][number]

const isChange = ({ result }: Planned): boolean => BULK_CHANGES.has(result)

/** The dry run, and the form that carries it out. */
export const BulkPage = (view: BulkView): VNode => {
  const { plan, refusal } = view
  return (
    <div class="bulk">
      <Summary plan={plan} />
      <Errors refusal={refusal} />
      <div class="case-columns">
        <div>
          <Planning {...view} />
        </div>
        <div>
          {plan.changed > 0 && <BulkForm {...view} />}
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

const Summary = ({ plan }: { plan: BulkPlan }): VNode => {
  const left = Object.entries(plan.results).filter(([result]) => !BULK_CHANGES.has(result))
  return (
    <>
      <p class="lead">
        <strong>{plan.changed}</strong> of {plan.cases.length} selected will change
        {left.map(([result, n]) => ` · ${n} ${bulkResultLabel(result)}`).join('')}. Nothing has been done yet.
      </p>
      {plan.more && (
        <Note tone="info" title={`These are the first ${plan.cases.length} of this view`}>
          What is behind them can be decided afterwards.
        </Note>
      )}
    </>
  )
}

const COLUMNS = [
  { title: 'Signal' },
  { title: 'Category' },
  { title: 'Severity' },
  { title: 'From' },
  { title: 'Will it change?' },
] as const

const Planning = ({ plan, shown }: BulkView): VNode => {
  if (plan.cases.length === 0)
    return <Empty title="Nothing was selected">Select rows of the queue by x, or by their boxes.</Empty>
  const known = new Map(shown.map((one) => [one.case, one]))
  const rows = plan.cases.flatMap((planned) => {
    const one = known.get(planned.case)
    return one === undefined ? [] : [{ planned, one }]
  })
  if (rows.length === 0) return <Empty title="None of them is there">They may be of another organisation.</Empty>
  return (
    <>
      <Table label="Selected cases" columns={COLUMNS}>
        {rows.map(({ planned, one }) => (
          <tr key={one.case} data-row>
            <td>
              <CaseLink one={one} />
            </td>
            <td>{plain(one.category)}</td>
            <td>
              <SeverityMark severity={one.severity} />
            </td>
            <td>{one.source}</td>
            <td>
              <WillChange planned={planned} one={one} />
            </td>
          </tr>
        ))}
      </Table>
      {plan.cases.length > CASES_MAX && (
        <p class="muted">
          {rows.length} of {plan.cases.length} are shown: what is not looked at is not read either. All of them are
          counted above.
        </p>
      )}
    </>
  )
}

function WillChange({ planned, one }: { planned: Planned; one: CaseInfo }): VNode {
  if (isChange(planned)) return <>yes</>
  const holder = one.lease?.holder ?? one.assigned_to
  const why =
    planned.result === 'claimed' && holder !== undefined
      ? `${holder} works on it`
      : bulkResultLabel(planned.result, 'one')
  return <span class="muted">no: {why}</span>
}

const BulkForm = ({ viewer, plan, job, typed, refusal }: BulkView): VNode => (
  <Form action={links.decideBulk()} csrf={viewer.csrf} class="decide-form" label="Decide all alike">
    <input type="hidden" name="job" value={job} />
    {plan.cases.filter(isChange).map((one) => (
      <input type="hidden" key={one.case} name="item[]" value={`${one.case}.${one.version}`} />
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
      {...{ name: 'note_team', label: 'Team note', hint: 'For your own team alone.', reader: 'private' }}
      {...{ rows: 2, maxLength: NOTE_MAX, value: typed['note_team'], error: errorOf(refusal, 'note_team') }}
    />
    <TextArea
      {...{ name: 'note_shared', label: 'Note visible to each source', hint: 'No names, addresses or numbers.' }}
      {...{ reader: 'shared', rows: 2, maxLength: NOTE_MAX }}
      {...{ value: typed['note_shared'], error: errorOf(refusal, 'note_shared') }}
    />
    <p class="hint">
      A confirmation of something critical waits for a second person, case by case. Everything may be undone together.
    </p>
    {plan.needs_lead && (
      <Note tone="info" title={`More than ${BULK_ALONE}: a lead approves it first`}>
        Another person, who sees this list and types the number {plan.changed}. Nothing is decided before.
      </Note>
    )}
    <Button kind="primary" keyName="s">
      {plan.needs_lead ? 'Propose to decide' : 'Decide'} {plan.changed} {plan.changed === 1 ? 'case' : 'cases'}
    </Button>
  </Form>
)
