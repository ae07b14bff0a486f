import type { VNode } from 'preact'
import type { Uuid } from '../../kernel/ids.ts'
import type { RequestFor } from '../../participants/request-list.ts'
import { lateBy } from '../../participants/schedule.ts'
import type { Difference } from '../../participants/undo-rule.ts'
import { links } from '../links.ts'
import { Button, Form } from '../parts/form.tsx'
import { Table } from '../parts/table.tsx'
import { spanText } from '../parts/text.tsx'
import { holdsOne, type Viewer } from '../viewer.ts'
import { isOpen } from './requests.tsx'

export interface AfterProps {
  request: RequestFor
  viewer: Viewer
  once: Uuid
  /** Against what is in force now. */
  differences: readonly Difference[]
}

/** Said where an act was done later than it was set for. */
export const LateNote = ({ request: { executed_at, effective_at } }: { request: RequestFor }): VNode | null => {
  const late = executed_at === null ? undefined : lateBy(effective_at, executed_at)
  return late === undefined ? null : <span class="muted"> · {spanText(late * 1_000, 2)} after its time</span>
}

export const Differences = ({ differences, request }: AfterProps): VNode | null => {
  if (differences.length === 0 || request.executed_at !== null) return null
  return (
    <>
      <h3>What it changes</h3>
      <Table label="What it changes" columns={[{ title: 'What' }, { title: 'Now' }, { title: 'Then' }]}>
        {differences.map(({ what, before, after }) => (
          <tr key={what}>
            <td>{what}</td>
            <td>{before}</td>
            <td>{after}</td>
          </tr>
        ))}
      </Table>
    </>
  )
}

/** Acts of which another one brings back what was before. */
const UNDOABLE: ReadonlySet<string> = new Set(['group.change', 'collection.hold', 'quota.change', 'policy.publish'])

/** To take back what waits, and to ask for the inverse of what was done. */
export function After({ request, viewer, once }: AfterProps): VNode | null {
  const { request_id, standing, action } = request
  if (isOpen(request) && action !== 'emergency.review')
    return (
      <details class="confirm">
        <summary class="button">Take it back …</summary>
        <Form action={links.cancelRequest(request_id)} csrf={viewer.csrf} once={once}>
          <p>Nothing has happened yet, and nothing will.</p>
          <Button kind="danger">Take this request back</Button>
        </Form>
      </details>
    )
  if (standing !== 'executed' || !UNDOABLE.has(action) || !holdsOne(viewer, ['node_admin'])) return null
  return (
    <Form action={links.undoRequest(request_id)} csrf={viewer.csrf} once={once} class="stack">
      <p>Another request brings back what was before. It is prepared here and decided like any other.</p>
      <Button>Ask to undo it</Button>
    </Form>
  )
}
