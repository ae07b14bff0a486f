import { say } from './dom.ts'

interface Detail {
  ctx?: { response?: { status?: number }; sourceElement?: Element; text?: string }
}

/** What htmx is refused and no form has a place for is said in a corner, and stays until it is closed. */
export function watchRefusals(): void {
  document.addEventListener('htmx:response:error', (event) => {
    const { ctx } = (event instanceof CustomEvent ? (event.detail as Detail) : {}) as Detail
    const status = ctx?.response?.status
    if (status === undefined || status === 401 || ctx?.sourceElement?.hasAttribute(`hx-status:${status}`) === true)
      return
    notice(textOf(ctx?.text) ?? `The node answered ${status}. Nothing was changed.`)
  })
  document.addEventListener('htmx:error', () => notice('The node was not reached. Nothing was changed; try again.'))
}

/** The words of a refusal; its markup is not taken over. */
function textOf(html: string | undefined): string | undefined {
  if (html === undefined) return undefined
  const text = new DOMParser().parseFromString(html, 'text/html').body.textContent.replaceAll(/\s+/g, ' ').trim()
  return text === '' ? undefined : text.slice(0, 400)
}

function notice(text: string): void {
  document.getElementById('notice')?.remove()
  const [box, note, body] = [
    document.createElement('div'),
    document.createElement('div'),
    document.createElement('div'),
  ]
  const [words, close] = [document.createElement('p'), document.createElement('button')]
  box.id = 'notice'
  box.className = 'notice'
  note.className = 'note note-crit'
  words.textContent = text
  close.type = 'button'
  close.className = 'button button-plain'
  close.textContent = 'Close'
  close.addEventListener('click', () => box.remove())
  body.append(words, close)
  note.append(body)
  box.append(note)
  document.body.append(box)
  say(text)
}
