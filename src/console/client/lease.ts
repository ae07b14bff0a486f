import { say } from './dom.ts'

const SECOND_MS = 1_000
const RENEW_MS = 60_000
/** Nobody is at work whose page had no key, click or touch for so long. */
const IN_USE_MS = 5 * 60_000
const WARN_MS = 2 * 60_000

/**
 * Keeps a lease while somebody works: renewed each minute that the page is seen and used, let go when it is left. Nothing of
 * it prolongs the session.
 */
export function keepLease(bar: HTMLElement): void {
  const { renew = '', leave = '', token = '', csrf = '', lease = '' } = bar.dataset
  const left = bar.querySelector<HTMLElement>('[data-left]')
  const warning = bar.querySelector<HTMLElement>('[data-warning]')
  let offset = offsetOf(bar)
  let endsAt = Date.parse(lease)
  let usedAt = Date.now()
  let isWarned = false
  const body = new URLSearchParams({ csrf, token })

  const show = (): void => {
    const ms = endsAt - Date.now() - offset
    if (left !== null) left.textContent = clockText(ms)
    const isShort = ms < WARN_MS
    if (warning !== null) warning.hidden = !isShort
    if (isShort && !isWarned)
      say(ms > 0 ? 'Your time on this case ends in two minutes' : 'Your time on this case is over')
    isWarned = isShort
  }
  const extend = async (): Promise<void> => {
    try {
      const answer = await fetch(renew, { method: 'POST', body })
      if (!answer.ok) return lost(bar)
      const { expires_at, now } = (await answer.json()) as { expires_at: string; now: string }
      endsAt = Date.parse(expires_at)
      offset = Date.parse(now) - Date.now()
      show()
    } catch {
      // Offline for a moment: the time goes on, and so does the countdown.
    }
  }
  for (const kind of ['keydown', 'pointerdown', 'input'] as const)
    document.addEventListener(kind, () => {
      usedAt = Date.now()
    })
  setInterval(show, SECOND_MS)
  setInterval(() => {
    if (document.visibilityState === 'visible' && Date.now() - usedAt < IN_USE_MS) void extend()
  }, RENEW_MS)
  // A page that is loaded anew has just said that it goes away.
  void extend()
  addEventListener('pagehide', () => {
    navigator.sendBeacon(leave, body)
  })
}

/** How far the node's clock is before this one, as the page was made. */
export const offsetOf = (bar: HTMLElement): number => Date.parse(bar.dataset['now'] ?? '') - Date.now()

/** Somebody came between, or the session ended: what is typed stays, and is compared when it is sent. */
function lost(bar: HTMLElement): void {
  bar.classList.add('lease-lost')
  say('This case is no longer yours')
}

const clockText = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / SECOND_MS))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
