import type { VNode } from 'preact'
import { links } from '../links.ts'
import type { Nudge } from '../wellbeing.ts'
import { Note } from './note.tsx'

/** Said once a page and in the way of nothing: whoever goes on may. */
export const NudgeNote = ({ nudge }: { nudge: Nudge | undefined }): VNode | null =>
  nudge === undefined ? null : (
    <Note id="nudge" title="Time for a break?">
      <p>
        {nudge.why === 'items'
          ? `${nudge.items} severe cases without a break.`
          : 'You have been with severe cases for a while.'}{' '}
        Fifteen minutes count as one. What is yours stays yours for its lease; hold it, or let it go.{' '}
        <a href={links.settings()}>Settings</a>
      </p>
    </Note>
  )
