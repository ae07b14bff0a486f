import type { VNode } from 'preact'
import type { Refusal } from '../../kernel/errors.ts'
import type { BulkItems, BulkJob } from '../../review/bulk-schema.ts'
import { BULK_CHANGES, BULK_STATE_WORDS, bulkRefusalLabel, bulkResultLabel } from '../bulk-words.ts'
import { type Href, links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Button, Field, Form } from '../parts/form.tsx'
import { hx } from '../parts/hx.ts'
import { Empty, Errors, errorOf, Note } from '../parts/note.tsx'
import { Fact, Facts, Pager, Table } from '../parts/table.tsx'
import { Hash, spanText, Time } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { reasonLabel, verdictLabel } from '../words.ts'
import { shortId } from './case-parts.tsx'

export interface BulkJobView {
  viewer: Viewer
  job: BulkJob
  items: BulkItems['items']
  now: Date
  typed: Readonly<Record<string, string>>
  refusal: Refusal | undefined
}

/** A job as it stands: what is decided alike, how far it is, and what became of each case. */
export const BulkJobPage = (view: BulkJobView): VNode => (
  <div class="bulk">
    <Errors refusal={view.refusal} />
    <BulkProgress {...view} />
    <Decision {...view} />
    <Results {...view} />
  </div>
)

const isUnderWay = ({ state }: BulkJob): boolean => state === 'running' || state === 'undoing'

/** How far it is and what may be done; while it is under way it asks for itself again. */
export const BulkProgress = (view: BulkJobView): VNode => {
  const { job } = view
  const asking = isUnderWay(job) ? hx({ get: links.bulkProgress(job.job), target: 'this', trigger: 'every 1s' }) : {}
  return (
    <section id="bulk-progress" aria-label="Progress" {...asking}>
      <p class="lead" role="status">
        <Badge tone={job.state === 'refused' ? 'warn' : job.state === 'proposed' ? 'accent' : 'neutral'}>
          {BULK_STATE_WORDS[job.state]}
        </Badge>{' '}
        <Sums job={job} />
      </p>
      {isUnderWay(job) && (
        <p>
          <progress value={job.looked_at} max={job.n} aria-label="Cases looked at" /> {job.looked_at} of {job.n}
        </p>
      )}
      <Acts {...view} />
    </section>
  )
}

function Sums({ job }: { job: BulkJob }): VNode {
  const { state, n, results, undone, verdict, refusal } = job
  if (state === 'refused') return <>{bulkRefusalLabel(refusal ?? '')}</>
  if (state === 'proposed')
    return (
      <>
        <strong>{n}</strong> cases: {verdictLabel(verdict)}. Nothing is decided yet.
      </>
    )
  const decided = results['decided'] ?? 0
  if (state === 'undone')
    return (
      <>
        <strong>{undone}</strong> of {decided + (results['proposed'] ?? 0)} undone.
      </>
    )
  const others = Object.entries(results).filter(([result]) => result !== 'decided')
  return (
    <>
      <strong>{decided}</strong> of {n} decided: {verdictLabel(verdict)}
      {others.map(([result, count]) => ` · ${count} ${bulkResultLabel(result)}`).join('')}.
    </>
  )
}

const Acts = (view: BulkJobView): VNode => {
  const { viewer, job, now } = view
  const left = job.release_at === undefined ? 0 : Date.parse(job.release_at) - now.getTime()
  const changed = Object.entries(job.results).some(([result, n]) => BULK_CHANGES.has(result) && n > 0)
  const undoable =
    (job.state === 'running' || ((job.state === 'done' || job.state === 'cancelled') && left > 0)) && changed
  return (
    <div class="actions">
      {job.state === 'running' && (
        <Form action={links.cancelBulk(job.job)} csrf={viewer.csrf}>
          <Button kind="danger">Cancel the rest</Button>
        </Form>
      )}
      {undoable && (
        <Form action={links.undoBulk(job.job)} csrf={viewer.csrf} id="undo-all">
          <Button keyName="z" id="undo-button">
            Undo the whole{left > 0 && ` (${spanText(left)})`}
          </Button>
        </Form>
      )}
      {job.looked_at > 0 && (
        <a class="button button-plain" href={links.bulkTable(job.job)}>
          Results as CSV
        </a>
      )}
      <a class="button button-plain" href={links.queue()} data-key="u">
        Queue
      </a>
      <a class="button button-plain" href={links.bulkJobs()}>
        All jobs
      </a>
    </div>
  )
}

const Decision = (view: BulkJobView): VNode => {
  const { job, now } = view
  return (
    <section aria-labelledby="decision-title">
      <h2 id="decision-title">What is decided</h2>
      <Facts>
        <Fact name="Verdict">
          {verdictLabel(job.verdict)}: {reasonLabel(job.reason)}
        </Fact>
        {job.note_team !== undefined && <Fact name="Team note">{job.note_team}</Fact>}
        {job.note_shared !== undefined && <Fact name="Note visible to each source">{job.note_shared}</Fact>}
        <Fact name="Cases">{job.n}</Fact>
        <Fact name="Proposed">
          by {job.proposed_by}, <Time at={new Date(job.proposed_at)} now={now} />
        </Fact>
        {job.approved_by !== undefined && <Fact name="Approved">by {job.approved_by}</Fact>}
        <Fact name="Digest of list and decision">
          <Hash value={job.digest} label="digest" />
        </Fact>
      </Facts>
      {job.state === 'proposed' && <Answer {...view} />}
    </section>
  )
}

/** Whoever proposed may only take it back; a lead who looked types how many cases it decides. */
function Answer({ viewer, job, typed, refusal }: BulkJobView): VNode {
  if (job.proposed_by === viewer.pseudonym)
    return (
      <div class="proposal">
        <Note tone="info">You proposed this: a lead has to approve it.</Note>
        <Form action={links.answerBulk(job.job)} csrf={viewer.csrf}>
          <Button name="answer" value="retract">
            Take it back
          </Button>
        </Form>
      </div>
    )
  if (!viewer.roles.includes('lead'))
    return <Note tone="info">A lead approves it: more cases are decided than one person does alone.</Note>
  return (
    <Form action={links.answerBulk(job.job)} csrf={viewer.csrf} class="proposal" label="Answer the proposal">
      <input type="hidden" name="digest" value={job.digest} />
      <Field
        {...{ name: 'n', label: `Type ${job.n} to approve`, inputMode: 'numeric', width: 'narrow' }}
        value={typed['n']}
        error={errorOf(refusal, 'n')}
      />
      <Button kind="primary" name="answer" value="approve" keyName="y">
        Approve
      </Button>
      <Button kind="danger" name="answer" value="deny">
        Deny
      </Button>
    </Form>
  )
}

const Results = ({ items }: BulkJobView): VNode => (
  <Table label="Results" columns={[{ title: 'Case' }, { title: 'Result' }, { title: 'Why' }]}>
    {items.map(({ case: id, result, undone }) => (
      <tr key={id} data-row>
        <td>
          <a href={links.reviewCase(id)} data-open-row>
            Case <code>{shortId(id)}</code>
          </a>
        </td>
        <td>{resultText(result, undone)}</td>
        <td>
          {result !== undefined && result !== 'decided' && (
            <>
              {bulkResultLabel(result, 'one')} <code class="muted">{result}</code>
            </>
          )}
        </td>
      </tr>
    ))}
  </Table>
)

function resultText(result: string | undefined, undone: boolean | undefined): string {
  if (result === undefined) return 'not yet'
  if (undone !== undefined) return undone ? 'undone' : 'stands: it had left already'
  return BULK_CHANGES.has(result) ? (result === 'decided' ? 'decided' : 'proposed') : 'left as it was'
}

interface BulkJobsView {
  jobs: readonly BulkJob[]
  next: Href | undefined
  now: Date
}

export const BulkJobsPage = ({ jobs, next, now }: BulkJobsView): VNode => (
  <div class="bulk">
    {jobs.length === 0 ? (
      <Empty title="Nothing was decided alike yet">Select rows of the queue, and decide them alike.</Empty>
    ) : (
      <BulkJobTable jobs={jobs} now={now} label="Jobs" />
    )}
    <Pager label="Pages of jobs" next={next} shown={`${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}`} />
  </div>
)

const JOB_COLUMNS = [
  { title: 'Job' },
  { title: 'Decision' },
  { title: 'Cases', numeric: true },
  { title: 'State' },
  { title: 'Proposed' },
] as const

export const BulkJobTable = ({ jobs, now, label }: { jobs: readonly BulkJob[]; now: Date; label: string }): VNode => (
  <Table label={label} columns={JOB_COLUMNS}>
    {jobs.map((job) => (
      <tr key={job.job} data-row>
        <td>
          <a href={links.bulkJob(job.job)} data-open-row>
            Job <code>{shortId(job.job)}</code>
          </a>
        </td>
        <td>{verdictLabel(job.verdict)}</td>
        <td class="number">{job.n}</td>
        <td>{BULK_STATE_WORDS[job.state]}</td>
        <td>
          {job.proposed_by}, {spanText(now.getTime() - Date.parse(job.proposed_at))} ago
        </td>
      </tr>
    ))}
  </Table>
)
