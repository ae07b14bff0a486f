import type { VNode } from 'preact'
import type { Uuid } from '../../kernel/ids.ts'
import type { Undoable } from '../../review/read.ts'
import { links } from '../links.ts'
import { Button, Form } from '../parts/form.tsx'
import { Icon } from '../parts/icon.tsx'
import type { Viewer } from '../viewer.ts'
import { verdictLabel } from '../words.ts'
import { shortId } from './case-parts.tsx'

interface UndoBarProps {
  undoable: readonly Undoable[]
  viewer: Viewer
  now: Date
  /** The case that the page is of. */
  here?: Uuid
}

/** What the viewer decided a moment ago: until the grace is over nothing of it leaves, and it is undone as if it had not been. */
export const UndoBar = ({ undoable, viewer, now, here }: UndoBarProps): VNode | null => {
  const [latest] = undoable
  if (latest === undefined) return null
  const seconds = Math.max(1, Math.ceil((latest.release_at.getTime() - now.getTime()) / 1_000))
  return (
    <div class="undo" id="undo" data-until={latest.release_at.toISOString()} data-now={now.toISOString()}>
      <p>
        <Icon name="ok" /> <strong>{verdictLabel(latest.verdict)}</strong>
        {latest.case === here ? (
          ' was decided here.'
        ) : (
          <>
            {' was decided of '}
            <a href={links.reviewCase(latest.case)}>case {shortId(latest.case)}</a>.
          </>
        )}{' '}
        Nothing has left yet: <span data-left>{seconds} s</span> to undo it.
      </p>
      <Form action={links.undoDecision(latest.case, latest.decision)} csrf={viewer.csrf}>
        <Button keyName="z" id="undo-button">
          Undo
        </Button>
      </Form>
    </div>
  )
}
