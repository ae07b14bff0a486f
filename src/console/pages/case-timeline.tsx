import type { VNode } from 'preact'
import type { Uuid } from '../../kernel/ids.ts'
import type { CaseInfo, DecisionInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Table } from '../parts/table.tsx'
import { Time } from '../parts/text.tsx'
import { plain, reasonLabel, triggerLabel, verdictLabel } from '../words.ts'

interface Step {
  at: string
  what: string
  who: string
  note?: string
  event: Uuid
}

const COLUMNS = [{ title: 'When' }, { title: 'What' }, { title: 'Who' }, { title: 'Proof' }] as const

/** Why there is a case and what was decided of it, each with its entry in the log. */
export const Timeline = ({ one, now }: { one: CaseInfo; now: Date }): VNode => (
  <section class="panel" aria-labelledby="timeline-title">
    <h2 id="timeline-title">Timeline</h2>
    <Table label="Timeline" columns={COLUMNS}>
      {stepsOf(one).map(({ at, what, who, note, event }) => (
        <tr key={`${event} ${what}`}>
          <td>
            <Time at={new Date(at)} now={now} />
          </td>
          <td class="wrap">
            {what}
            {note !== undefined && <span class="muted"> · {note}</span>}
          </td>
          <td>{who}</td>
          <td>
            <a href={links.caseReceipt(one.case, event)}>Receipt</a>
          </td>
        </tr>
      ))}
    </Table>
  </section>
)

const stepsOf = ({ triggers = [], decisions = [], source }: CaseInfo): Step[] =>
  [
    ...triggers.map(
      ({ kind, at, event, ref }): Step => ({
        ...{ at, what: triggerLabel(kind), who: kind === 'private_hit' ? 'your matcher' : whoOf(kind, source), event },
        ...(kind === 'routing_rule' && { note: ref.replaceAll('_', ' ') }),
      }),
    ),
    ...decisions.map(decisionStep),
  ].sort((a, b) => (a.at < b.at ? -1 : 1))

const whoOf = (kind: string, source: string): string => (kind === 'lifecycle' ? source : 'the node')

const STANDING_WORDS: Readonly<Record<DecisionInfo['standing'], string>> = {
  proposed: 'proposed, waits for a second person',
  grace: 'nothing has left yet',
  released: 'delivered to the source',
  ended: 'undone, denied or taken back',
}

const decisionStep = ({
  decided_at,
  verdict,
  reason,
  decided_by,
  approved_by,
  refused_by,
  refusal = 'denied',
  standing,
  event,
}: DecisionInfo): Step => ({
  at: decided_at,
  what: `${verdictLabel(verdict)}: ${reasonLabel(reason).toLowerCase()}`,
  note:
    refused_by === undefined ? STANDING_WORDS[standing] : `denied by ${refused_by}: ${plain(refusal).toLowerCase()}`,
  who: approved_by === undefined ? decided_by : `${decided_by}, approved by ${approved_by}`,
  event,
})
