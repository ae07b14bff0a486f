import type { VNode } from 'preact'
import type { NetworkResult } from '../../feeds/schema.ts'
import type { CaseInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { hx } from '../parts/hx.ts'
import { Table } from '../parts/table.tsx'
import { plain, typeLabel } from '../words.ts'
import { shortId } from './case-parts.tsx'

interface RelatedProps {
  one: Pick<CaseInfo, 'case'>
  related: NetworkResult | undefined
}

/** What sources state to belong together: asked for by itself, since it is a read of other signals. */
export const Related = ({ one, related }: RelatedProps): VNode => (
  <section class="panel" id="related" aria-labelledby="related-title">
    <h2 id="related-title">Related signals</h2>
    {related === undefined ? <Ask one={one} /> : <Network one={one} related={related} />}
  </section>
)

const Ask = ({ one }: Pick<RelatedProps, 'one'>): VNode => (
  <p>
    <a
      class="button button-plain"
      href={links.caseRelated(one.case)}
      {...hx({ get: links.caseRelated(one.case), target: '#related', swap: 'outerHTML' })}
    >
      Show the network
    </a>{' '}
    <span class="muted">recorded as a read of each signal in it</span>
  </p>
)

const COLUMNS = [
  { title: 'Signal' },
  { title: 'Type' },
  { title: 'From' },
  { title: 'Relation' },
  { title: 'Last seen' },
] as const

const Network = ({ one, related }: { one: RelatedProps['one']; related: NetworkResult }): VNode => {
  if (related.hub)
    return (
      <p class="muted">So many signals are related to this one that they say nothing: a hub, such as a shared host.</p>
    )
  if (related.members.length === 0) return <p class="muted">No source states a relation to it that you may see.</p>
  return (
    <div tabIndex={-1} data-focus>
      <Table label="Related signals" columns={COLUMNS}>
        {related.members.map(({ signal, signals, relations }) => (
          <tr key={signal}>
            <td>
              <code title={signal}>{shortId(signal)}</code>
            </td>
            <td>{[...new Set(signals.map(({ type }) => typeLabel(type)))].join(', ')}</td>
            <td>{signals.map(({ source }) => source).join(', ')}</td>
            <td class="wrap">
              {relations
                .map(({ relation, direction, stated_by }) => {
                  const by = [...new Set(stated_by.map(({ source }) => source))].join(', ')
                  return `${direction === 'in' ? '← ' : '→ '}${plain(relation).toLowerCase()} (${by})`
                })
                .join('; ')}
            </td>
            <td>{lastSeen(relations)}</td>
          </tr>
        ))}
      </Table>
      {related.next !== null && <a href={links.caseRelated(one.case, related.next)}>More of them</a>}
    </div>
  )
}

const lastSeen = (relations: NetworkResult['members'][number]['relations']): string =>
  relations
    .map(({ last_seen }) => last_seen.slice(0, 10))
    .sort()
    .at(-1) ?? '–'
