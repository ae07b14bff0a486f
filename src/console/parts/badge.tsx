import type { ComponentChildren, VNode } from 'preact'
import { Icon, type IconName } from './icon.tsx'

export type Tone = 'neutral' | 'accent' | 'crit' | 'warn' | 'ok' | 'private'

interface BadgeProps {
  tone?: Tone
  icon?: IconName
  /** Why, in one sentence. */
  title?: string
  children: ComponentChildren
}

/** A word with a meaning; the colour only repeats it. */
export const Badge = ({ tone = 'neutral', icon, title, children }: BadgeProps): VNode => (
  <span class={`badge badge-${tone}`} title={title}>
    {icon !== undefined && <Icon name={icon} />}
    {children}
  </span>
)
