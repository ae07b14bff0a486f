import type { VNode } from 'preact'
import type { CaseInfo } from '../../review/schema.ts'
import { links } from '../links.ts'
import { Icon } from '../parts/icon.tsx'
import { instantText, spanText } from '../parts/text.tsx'
import { typeLabel } from '../words.ts'

const MARKS: Readonly<Record<CaseInfo['severity'], string>> = { low: '', medium: '', high: '^', critical: '^^' }

/** A word, and a mark that is seen at a glance; the colour only repeats it. */
export const SeverityMark = ({ severity }: { severity: CaseInfo['severity'] }): VNode => (
  <span class={`severity severity-${severity}`}>
    {severity.charAt(0).toUpperCase() + severity.slice(1)}
    {MARKS[severity] !== '' && (
      <span class="severity-mark" aria-hidden="true">
        {MARKS[severity]}
      </span>
    )}
  </span>
)

/** What a row is about, and where it opens. */
export const CaseLink = ({ one }: { one: Pick<CaseInfo, 'case' | 'type' | 'signal'> }): VNode => (
  <a href={links.reviewCase(one.case)} data-open-row>
    {typeLabel(one.type)} <code>{shortId(one.signal)}</code>
  </a>
)

const SOON_MS = 3_600_000

/** How long there is to decide, `1:04` or `2 d`; of what is closed nothing. */
export function Due({ one, now }: { one: Pick<CaseInfo, 'due_at' | 'state' | 'priority'>; now: Date }): VNode {
  if (one.state !== 'open') return <span class="muted">–</span>
  const at = new Date(one.due_at)
  const ms = at.getTime() - now.getTime()
  const tone = ms < 0 ? 'due-late' : ms < SOON_MS ? 'due-soon' : ''
  return (
    <span class={`due ${tone}`} title={`due ${instantText(at)}`}>
      {ms < 0 && <Icon name="alert" />}
      {ms < 0 ? `late ${spanText(ms)}` : clockText(ms)}
    </span>
  )
}

const clockText = (ms: number): string => {
  const minutes = Math.floor(ms / 60_000)
  if (minutes >= 2_880) return `${Math.floor(minutes / 1_440)} d`
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
}

/** The random end of an id: enough to tell two apart by eye. */
export const shortId = (id: string): string => `…${id.slice(-6)}`
