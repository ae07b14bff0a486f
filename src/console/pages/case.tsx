import type { VNode } from 'preact'
import type { Opinions } from '../../feedback/schema.ts'
import type { CaseInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Badge } from '../parts/badge.tsx'
import { Errors } from '../parts/note.tsx'
import { NudgeNote } from '../parts/nudge.tsx'
import { Hash } from '../parts/text.tsx'
import { plain, STATE_WORDS } from '../words.ts'
import { DecidePart } from './case-decide.tsx'
import { Facts } from './case-facts.tsx'
import { LeaseBar } from './case-lease.tsx'
import { Due, SeverityMark } from './case-parts.tsx'
import { Related } from './case-related.tsx'
import { Stale } from './case-stale.tsx'
import { Timeline } from './case-timeline.tsx'
import { SealedLink } from './case-value.tsx'
import { type CaseView, isStale } from './case-view.ts'
import { UndoBar } from './undo-bar.tsx'

/** One case: its facts, what to do with it, and everything that happened to it. */
export function CasePage(view: CaseView): VNode {
  const { one, now, viewer, undoable, refusal } = view
  return (
    <div class="case" id="case" data-case={one.case}>
      <CaseHead one={one} now={now} />
      <UndoBar undoable={undoable} viewer={viewer} now={now} here={one.case} />
      <LeaseBar {...view} />
      <NudgeNote nudge={view.nudge} />
      {isStale(refusal) ? <Stale {...view} /> : <Errors refusal={refusal} />}
      <div class="case-columns">
        <div class="case-side">
          <Facts
            {...view}
            link={<SealedLink {...{ one, revealable: view.revealable, value: view.value }} csrf={viewer.csrf} />}
          />
          <OwnPlatform one={one} />
          <OpinionsPart opinions={view.opinions} one={one} />
          <Related one={one} related={view.related} />
        </div>
        <div class="case-side">
          <DecidePart {...view} />
        </div>
      </div>
      <Timeline one={one} now={now} />
    </div>
  )
}

const CaseHead = ({ one, now }: { one: CaseInfo; now: Date }): VNode => (
  <div class="case-head">
    <p class="case-back">
      <a href={links.queue()} data-key="u">
        Queue
      </a>
    </p>
    <p class="case-what">
      <strong>{plain(one.category)}</strong>
      <SeverityMark severity={one.severity} />
      <Badge tone={one.state === 'awaiting_second' ? 'accent' : 'neutral'}>{STATE_WORDS[one.state]}</Badge>
      {one.disputed && (
        <Badge tone="warn" icon="alert">
          Disputed
        </Badge>
      )}
      {one.state === 'open' && (
        <span>
          Due <Due one={one} now={now} />
        </span>
      )}
      <span class="muted">
        signal <Hash value={one.signal} label="signal id" />
      </span>
      {one.state === 'open' && <span class="muted">{one.priority.join(' ')}</span>}
    </p>
  </div>
)

/** Hits are the organisation's own affair. */
const OwnPlatform = ({ one: { hit, own_hits } }: { one: CaseInfo }): VNode => (
  <section class="panel panel-private" aria-labelledby="own-title">
    <h2 id="own-title">
      Our platform <span class="muted">private: nobody else sees this</span>
    </h2>
    {hit === undefined ? (
      <p class="muted">{own_hits === 0 ? 'No hit of ours was reported.' : `${own_hits} hits were reported.`}</p>
    ) : (
      <p>
        <strong>{hit.count}</strong> {hit.count === 1 ? 'hit' : 'hits'}, the last{' '}
        {hit.last_at.slice(0, 16).replace('T', ' ')} UTC
        {hit.own_ref !== undefined && (
          <>
            , our reference <code>{hit.own_ref}</code>
          </>
        )}
      </p>
    )}
  </section>
)

const STANDINGS: Readonly<Record<Opinions['standing'], string>> = {
  seed: 'nobody has said yes or no yet',
  confirmed: 'confirmed, nobody disagrees',
  negative: 'disagreed with, nobody confirms',
  disputed: 'disputed',
}

/** How many said what; never who. */
const OpinionsPart = ({ opinions, one }: { opinions: Opinions | undefined; one: CaseInfo }): VNode => (
  <section class="panel" aria-labelledby="opinions-title">
    <h2 id="opinions-title">Opinions of recipients</h2>
    {opinions === undefined ? (
      <p class="muted">
        None is told
        {one.confirmations > 0 ? `; when the case was opened ${one.confirmations} had confirmed` : ''}.
      </p>
    ) : (
      <>
        <p>
          {opinions.answered} answered: {STANDINGS[opinions.standing]}
          {opinions.open_disputes > 0 &&
            `, ${opinions.open_disputes} open ${opinions.open_disputes === 1 ? 'dispute' : 'disputes'}`}
          {opinions.seen_again > 0 && `, seen again by ${opinions.seen_again} after action`}.
        </p>
        {opinions.answered > 0 && (
          <ul class="tally">
            {Object.entries(opinions.outcomes).map(([outcome, n]) => (
              <li key={outcome}>
                <span class="number">{n}</span> {plain(outcome)}
              </li>
            ))}
          </ul>
        )}
      </>
    )}
  </section>
)
