import type { VNode } from 'preact'
import { links } from '../links.ts'
import { Icon } from './icon.tsx'
import { numberText, spanText } from './text.tsx'

/** How the provenance log is, as the node itself sees it: no proof, but the first sign of trouble. */
export interface LogHealth {
  size: bigint
  /** Of the newest published tree, base64url. */
  root?: string
  /** When the newest checkpoint was made; absent before the first. */
  at?: Date
  /** Those of the policy, and those whose cosignature is on the newest checkpoint. */
  witnesses: { wanted: number; answering: number }
  /** Why nothing is signed. */
  halted?: string
}

/** Two missed refreshes of an hour: a quiet log is signed anew each hour. */
const OLD_MS = 2.5 * 3_600_000

export type LogState = 'ok' | 'late' | 'halted' | 'none'

export function stateOf({ at, halted, witnesses }: LogHealth, now: Date): LogState {
  if (halted !== undefined) return 'halted'
  if (at === undefined) return 'none'
  const unwitnessed = witnesses.answering < witnesses.wanted
  return now.getTime() - at.getTime() > OLD_MS || unwitnessed ? 'late' : 'ok'
}

const WORD: Readonly<Record<LogState, string>> = { ok: 'ok', late: 'behind', halted: 'HALTED', none: 'not begun' }

/** Size, age of the checkpoint, witnesses; leads to the log's page. */
export function LogStrip({ log, now }: { log: LogHealth; now: Date }): VNode {
  const state = stateOf(log, now)
  const { wanted, answering } = log.witnesses
  const age = log.at === undefined ? 'no checkpoint' : spanText(now.getTime() - log.at.getTime())
  return (
    <a
      class={`log-strip log-${state}`}
      href={links.log()}
      title="The provenance log: entries, age of the newest checkpoint, witnesses"
    >
      <Icon name={state === 'ok' ? 'ok' : 'alert'} />
      <span>log {WORD[state]}</span>
      <span class="log-strip-more">
        {' · '}
        {numberText(log.size)} · {age}
        {wanted > 0 && ` · wit ${answering}/${wanted}`}
      </span>
    </a>
  )
}
