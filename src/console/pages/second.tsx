import type { VNode } from 'preact'
import type { BulkJob } from '../../review/bulk-schema.ts'
import type { Undoable } from '../../review/read.ts'
import type { CaseInfo, DecisionInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Empty } from '../parts/note.tsx'
import { instantText, spanText } from '../parts/text.tsx'
import type { Viewer } from '../viewer.ts'
import { plain, typeLabel } from '../words.ts'
import { BulkJobTable } from './bulk-job.tsx'
import { Decided } from './case-decide.tsx'
import { Due, SeverityMark } from './case-parts.tsx'
import { ProposalActs } from './proposal.tsx'
import { UndoBar } from './undo-bar.tsx'

export interface SecondView {
  viewer: Viewer
  cases: readonly CaseInfo[]
  undoable: readonly Undoable[]
  /** Many cases that are decided alike, which wait for a lead. */
  jobs: readonly BulkJob[]
  now: Date
}

/** What waits for a second person: others' first, since the viewer can end that; then what the viewer waits for. */
export function SecondPage({ viewer, cases, undoable, jobs, now }: SecondView): VNode {
  const proposals = cases.flatMap((one): Proposal[] => {
    const decision = one.decisions?.at(-1)
    return decision === undefined ? [] : [{ one, decision }]
  })
  const [own, others] = [
    proposals.filter(({ decision }) => decision.decided_by === viewer.pseudonym),
    proposals.filter(({ decision }) => decision.decided_by !== viewer.pseudonym),
  ]
  return (
    <div class="second">
      <UndoBar undoable={undoable} viewer={viewer} now={now} />
      <section aria-labelledby="waiting-title">
        <h2 id="waiting-title">
          Waiting for you <span class="count">{others.length}</span>
        </h2>
        {others.length === 0 ? (
          <Empty title="Nothing waits for you">Proposals of your colleagues appear here.</Empty>
        ) : (
          others.map((one) => <Item key={one.one.case} {...one} viewer={viewer} now={now} />)
        )}
      </section>
      {jobs.length > 0 && (
        <section aria-labelledby="jobs-title">
          <h2 id="jobs-title">
            Many cases alike, waiting for a lead <span class="count">{jobs.length}</span>
          </h2>
          <BulkJobTable jobs={jobs} now={now} label="Jobs that wait for a lead" />
        </section>
      )}
      <p>
        <a href={links.samples()}>Closed cases for a second look</a>
      </p>
      <section aria-labelledby="mine-title">
        <h2 id="mine-title">
          Yours, waiting for somebody else <span class="count">{own.length}</span>
        </h2>
        {own.length === 0 ? (
          <p class="muted">None. What nobody answers within a day goes back to the queue.</p>
        ) : (
          own.map((one) => <Item key={one.one.case} {...one} viewer={viewer} now={now} />)
        )}
      </section>
    </div>
  )
}

interface Proposal {
  one: CaseInfo
  decision: DecisionInfo
}

/** The evidence is read before the proposal, so that nobody nods to what is merely written there. */
const Item = ({ one, decision, viewer, now }: Proposal & { viewer: Viewer; now: Date }): VNode => (
  <article class="panel proposal-item" aria-label={`${typeLabel(one.type)}, ${plain(one.category)}`} data-row>
    <div class="evidence">
      <p class="case-what">
        <strong>{typeLabel(one.type)}</strong>
        <span>{plain(one.category)}</span>
        <SeverityMark severity={one.severity} />
        <span>from {one.source}</span>
        <span class="muted">
          confidence {one.confidence} · {one.own_hits} {one.own_hits === 1 ? 'hit' : 'hits'} here · {one.confirmations}{' '}
          confirmed elsewhere
        </span>
      </p>
      <p>
        <a href={links.reviewCase(one.case)} data-open-row>
          Look at the evidence
        </a>{' '}
        <span class="muted">
          due <Due one={{ ...one, state: 'open' }} now={now} /> · proposed{' '}
          {spanText(now.getTime() - Date.parse(decision.decided_at))} ago
          {one.held_until !== undefined && ` · lapses ${instantText(new Date(one.held_until))}`}
        </span>
      </p>
    </div>
    <details class="proposed">
      <summary>What is proposed</summary>
      <Decided decision={decision} source={one.source} />
      <ProposalActs one={one} decision={decision} viewer={viewer} />
    </details>
  </article>
)
