import type { ComponentChildren, VNode } from 'preact'
import { CATALOGUE, type Refusal } from '../../kernel/errors.ts'
import { Icon, type IconName } from './icon.tsx'

export type NoteTone = 'info' | 'ok' | 'warn' | 'crit'

const ICON: Readonly<Record<NoteTone, IconName>> = { info: 'info', ok: 'ok', warn: 'alert', crit: 'alert' }

interface NoteProps {
  tone?: NoteTone
  title?: string
  id?: string
  children?: ComponentChildren
}

/** One thing that a person should know here. */
export const Note = ({ tone = 'info', title, id, children }: NoteProps): VNode => (
  <div class={`note note-${tone}`} id={id}>
    <Icon name={ICON[tone]} />
    <div>
      {title !== undefined && <strong>{title}</strong>}
      {children !== undefined && <div>{children}</div>}
    </div>
  </div>
)

interface EmptyProps {
  title: string
  /** What to do next. */
  children?: ComponentChildren
}

/** There is nothing to show, and that is said. */
export const Empty = ({ title, children }: EmptyProps): VNode => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children !== undefined && <div class="muted">{children}</div>}
  </div>
)

/** Where a form's refusals appear; always there, so that htmx has a target and readers a live region. */
export const Errors = ({ id = 'errors', refusal }: { id?: string; refusal?: Refusal | undefined }): VNode => (
  <div id={id} role="alert">
    {refusal !== undefined && <Refused refusal={refusal} />}
  </div>
)

/** What was refused and what to do: the content of `Errors`, and the fragment that htmx puts there. */
export const Refused = ({ refusal }: { refusal: Refusal }): VNode => (
  <Note tone="crit" title={CATALOGUE[refusal.code][1]}>
    {refusal.detail !== undefined && <p>{sentence(refusal.detail)}</p>}
    {refusal.errors.length > 0 && (
      <ul>
        {refusal.errors.map(({ pointer, detail }) => (
          <li key={pointer}>
            {nameOf(pointer)}: {detail ?? 'not accepted'}
          </li>
        ))}
      </ul>
    )}
    <p class="muted">
      <code>{refusal.code}</code>
    </p>
  </Note>
)

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`

const nameOf = (pointer: string): string => pointer.split('/').at(-1)?.replaceAll('_', ' ') ?? 'the form'

/** What is wrong with one field, to stand beside it. */
export const errorOf = (refusal: Refusal | undefined, field: string): string | undefined => {
  const found = refusal?.errors.find(({ pointer }) => pointer.split('/').at(-1) === field)
  return found === undefined ? undefined : (found.detail ?? CATALOGUE[found.code][1])
}
