import type { VNode } from 'preact'

const PATHS = {
  ok: 'M3.5 8.5l3 3 6-7',
  cross: 'M4 4l8 8M12 4l-8 8',
  alert: 'M8 2.5l6 11H2zM8 7v3M8 12v.5',
  info: 'M8 7.2v4M8 4.6v.6M8 14A6 6 0 108 2a6 6 0 000 12z',
  clock: 'M8 14A6 6 0 108 2a6 6 0 000 12zM8 5v3.2l2.2 1.4',
  lock: 'M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 015 0v2.5',
  arrow: 'M3 8h9M8.5 4.5L12 8l-3.5 3.5',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  down: 'M4.5 6.5L8 10l3.5-3.5',
  bell: 'M3.5 11.5h9l-1.2-1.8V7a3.3 3.3 0 00-6.6 0v2.7zM6.8 13.4a1.3 1.3 0 002.4 0',
  dot: 'M8 9.5a1.5 1.5 0 100-3 1.5 1.5 0 000 3z',
} as const

export type IconName = keyof typeof PATHS

/** Beside a word, never instead of one. */
export const Icon = ({ name }: { name: IconName }): VNode => (
  <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
    <path
      d={PATHS[name]}
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>
)
