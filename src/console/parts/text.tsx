import type { ComponentChildren, VNode } from 'preact'
import { Icon } from './icon.tsx'

/** `2026-11-26 14:02 UTC`, to the minute; the exact instant is in the attribute. */
export const instantText = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const

/** `3 h`, `12 min`, and with two units `2 d 23 h`: from the largest that fits, never rounded up. */
export function spanText(ms: number, units: 1 | 2 = 1): string {
  const whole = Math.abs(ms)
  const first = Math.max(
    UNITS.findIndex(([size]) => whole >= size),
    whole < 1_000 ? UNITS.length - 1 : 0,
  )
  const [size, unit] = UNITS[first] ?? [1_000, 's']
  const [smaller, name] = UNITS[first + 1] ?? [0, '']
  const rest = units === 1 || smaller === 0 ? 0 : Math.floor((whole % size) / smaller)
  return `${Math.floor(whole / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${name}`}`
}

const relativeText = (at: Date, now: Date): string => {
  const ms = now.getTime() - at.getTime()
  return ms >= 0 ? `${spanText(ms)} ago` : `in ${spanText(ms, 2)}`
}

/** An instant in UTC, and how far away it is. */
export const Time = ({ at, now }: { at: Date; now?: Date }): VNode => (
  <span class="time">
    <time dateTime={at.toISOString()}>{instantText(at)}</time>
    {now !== undefined && <span class="muted"> · {relativeText(at, now)}</span>}
  </span>
)

/** Digits in groups of three, parted by what breaks no line. */
export const numberText = (n: number | bigint): string => String(n).replaceAll(/\B(?=(\d{3})+$)/g, '\u202f')

/** Cut in the middle on the screen, whole on paper and for whoever copies it. */
export function Hash({
  value,
  label = 'hash',
  whole = false,
}: {
  value: string
  label?: string
  whole?: boolean
}): VNode {
  const short = whole || value.length <= 14 ? value : `${value.slice(0, 7)}…${value.slice(-4)}`
  return (
    <span class="hash">
      <code class="hash-short" title={value}>
        {short}
      </code>
      <code class="hash-whole">{value}</code>
      <button type="button" class="copy" data-copy={value} aria-label={`Copy ${label}`} title={`Copy ${label}`} hidden>
        <Icon name="copy" />
      </button>
    </span>
  )
}

/** A key as it stands on the keyboard. */
export const Key = ({ children }: { children: ComponentChildren }): VNode => <kbd class="key">{children}</kbd>
