import { find, say } from './dom.ts'

const LOOK_EVERY_MS = 60_000
/** WCAG 2.2.1: told in time, and one press prolongs it. */
const WARN_SECONDS = 120
const STATE = '/session'
const STAY = '/session/stay'

/** What is left of the session in seconds; undefined if it is over, null if the node was not reached. */
async function secondsLeft(path: string): Promise<number | undefined | null> {
  try {
    const answer = await fetch(path, { headers: { 'hx-request': 'true' }, cache: 'no-store' })
    if (answer.status === 401) return undefined
    return answer.ok ? Number(answer.headers.get('session-seconds') ?? Number.NaN) : null
  } catch {
    return null
  }
}

/** Looks whether the session lives, without prolonging it, and keeps the page when it is over. */
export function watchSession(): void {
  const dialog = find('#session-ended', HTMLDialogElement)
  if (dialog === undefined) return
  const ended = (): void => {
    if (!dialog.open) dialog.showModal()
  }
  const look = async (): Promise<void> => {
    if (document.visibilityState === 'hidden') return
    const left = await secondsLeft(STATE)
    if (left === undefined) ended()
    else if (left !== null && left <= WARN_SECONDS) warn(left)
    else if (dialog.open) dialog.close()
  }
  setInterval(() => void look(), LOOK_EVERY_MS)
  document.addEventListener('visibilitychange', () => void look())
  document.addEventListener('htmx:response:error', (event) => {
    if (statusOf(event) === 401) ended()
  })
  keepForms(ended)
}

/** A plain form whose session is over would be answered by another page: it is held back, with what was typed. */
function keepForms(ended: () => void): void {
  const checked = new WeakSet<HTMLFormElement>()
  document.addEventListener('submit', (event) => {
    const form = event.target
    if (!(form instanceof HTMLFormElement) || form.method !== 'post' || form.hasAttribute('hx-post')) return
    if (event.defaultPrevented || checked.delete(form)) return
    event.preventDefault()
    const { submitter } = event
    void secondsLeft(STATE).then((left) => {
      if (left === undefined) return ended()
      checked.add(form)
      form.requestSubmit(submitter)
    })
  })
}

function warn(seconds: number): void {
  if (document.getElementById('session-warning') !== null) return
  const notice = document.createElement('div')
  notice.className = 'notice'
  notice.id = 'session-warning'
  const [note, text, stay] = [
    document.createElement('div'),
    document.createElement('p'),
    document.createElement('button'),
  ]
  note.className = 'note note-warn'
  text.textContent = `Your session ends in ${Math.max(1, Math.round(seconds / 60))} min unless you go on.`
  stay.className = 'button button-primary'
  stay.type = 'button'
  stay.textContent = 'Stay signed in'
  stay.addEventListener('click', () => {
    void fetch(STAY, { headers: { 'hx-request': 'true' } })
    notice.remove()
  })
  const body = document.createElement('div')
  body.append(text, stay)
  note.append(body)
  notice.append(note)
  document.body.append(notice)
  say(text.textContent)
}

function statusOf(event: Event): number | undefined {
  const detail: unknown = event instanceof CustomEvent ? event.detail : undefined
  const { ctx } = (detail ?? {}) as { ctx?: { response?: { status?: number } } }
  return ctx?.response?.status
}
