import type { ComponentChildren, VNode } from 'preact'
import type { Attention, DisputeOf, Objection } from '../../feedback/sent-schema.ts'
import { links } from '../links.ts'
import { Icon } from '../parts/icon.tsx'
import { spanText } from '../parts/text.tsx'
import { groundLabel, outcomeLabel } from '../sent-words.ts'
import { typeLabel } from '../words.ts'
import { shortId } from './case-parts.tsx'

interface AttentionProps {
  attention: Attention
  now: Date
}

/** What waits for the source, the most pressing first; nothing where nothing does. */
export function AttentionList({ attention, now }: AttentionProps): VNode {
  const { disputes, questions, disagreements, ending } = attention
  const none = [disputes, questions, disagreements, ending].every((list) => list.length === 0)
  return (
    <section aria-labelledby="attention-title">
      <h2 id="attention-title">Needs your attention</h2>
      {none ? (
        <p class="muted">
          <Icon name="ok" /> No dispute, no question, no disagreement, and nothing expires within seven days.
        </p>
      ) : (
        <div class="attention">
          <Part title="Disputes" n={disputes.length}>
            {disputes.map((one) => (
              <Dispute key={one.dispute} one={one} now={now} />
            ))}
          </Part>
          <Part title="Questions" n={questions.length}>
            {questions.map((one) => (
              <Said key={`${one.signal}/${one.giver}`} one={one} now={now} />
            ))}
          </Part>
          <Part title="Disagreements" n={disagreements.length}>
            {disagreements.map((one) => (
              <Said key={`${one.signal}/${one.giver}`} one={one} now={now} />
            ))}
          </Part>
          <Part title="Expire within 7 days" n={ending.length}>
            {ending.map(({ signal, type, expires_at }) => (
              <li key={signal}>
                <a href={links.submission(signal)}>
                  {typeLabel(type)} <code>{shortId(signal)}</code>
                </a>{' '}
                <span class="muted">in {spanText(expires_at.getTime() - now.getTime())}</span>
              </li>
            ))}
          </Part>
        </div>
      )}
    </section>
  )
}

/** Few at first; the rest is one press away. */
const SHOWN = 5

const Part = ({ title, n, children }: { title: string; n: number; children: ComponentChildren }): VNode | null => {
  if (n === 0) return null
  const rows = [children].flat()
  return (
    <section class="attention-part">
      <h3>
        {title} <span class="count">{n >= 50 ? '50+' : n}</span>
      </h3>
      <ul>{rows.slice(0, SHOWN)}</ul>
      {rows.length > SHOWN && (
        <details>
          <summary>
            {rows.length - SHOWN} more <Icon name="down" />
          </summary>
          <ul>{rows.slice(SHOWN)}</ul>
        </details>
      )}
    </section>
  )
}

const Dispute = ({ one, now }: { one: DisputeOf; now: Date }): VNode => {
  const ms = one.due_at.getTime() - now.getTime()
  return (
    <li>
      <a href={links.submission(one.signal)}>
        Signal <code>{shortId(one.signal)}</code>
      </a>{' '}
      {groundLabel(one.ground)}, by {one.opener}{' '}
      <span class={one.overdue ? 'due due-late' : 'due'}>
        {one.overdue && <Icon name="alert" />}
        {one.overdue ? `late ${spanText(ms)}` : `due in ${spanText(ms)}`}
      </span>
    </li>
  )
}

const Said = ({ one, now }: { one: Objection; now: Date }): VNode => (
  <li>
    <a href={links.submission(one.signal)}>
      {typeLabel(one.type)} <code>{shortId(one.signal)}</code>
    </a>{' '}
    {outcomeLabel(one.outcome)}, by {one.giver}{' '}
    <span class="muted">{spanText(now.getTime() - one.at.getTime())} ago</span>
  </li>
)
