/** Tries a revealed pattern on a list of one's own: its field and its file have no names, so that no form can send them. */
import { find } from './dom.ts'
import type { Tried } from './tactics-try.ts'

function start(): void {
  const form = find('#try', HTMLFormElement)
  const list = find('#own-list', HTMLTextAreaElement)
  const file = find('#own-file', HTMLInputElement)
  const out = find('#tried', HTMLElement)
  if (!form || !list || !file || !out || form.dataset['ready'] !== undefined) return
  form.dataset['ready'] = ''
  form.hidden = false
  file.addEventListener('change', () => {
    const chosen = file.files?.[0]
    if (chosen === undefined) return
    void chosen.text().then((text) => {
      list.value = text
    })
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void run(form, list.value, out)
  })
}

async function run(form: HTMLFormElement, text: string, out: HTMLElement): Promise<void> {
  const pattern = form.dataset['pattern']
  if (pattern === undefined) return
  out.textContent = 'Trying…'
  try {
    const { tryOn } = await import('./tactics-try.ts')
    const tried = tryOn(JSON.parse(pattern), text)
    out.replaceChildren(...shown(tried))
  } catch {
    out.textContent = 'This pattern cannot be tried here.'
  }
}

const share = (part: number): string => `${(part * 100).toPrecision(3)} %`

function shown({ lines, hits, rate, low, high, shown }: Tried): Node[] {
  const line = document.createElement('p')
  const strong = document.createElement('strong')
  strong.textContent = `${hits} of ${lines} lines are hit`
  line.append(
    strong,
    lines === 0 ? '.' : `: ${share(rate)}, between ${share(low)} and ${share(high)} in 19 of 20 such lists.`,
  )
  const list = document.createElement('ol')
  list.className = 'tried'
  for (const one of shown) {
    const item = document.createElement('li')
    const mark = document.createElement('mark')
    mark.textContent = one.hit
    item.value = one.line
    item.append(one.before, mark, one.after)
    list.append(item)
  }
  return shown.length === 0 ? [line] : [line, list]
}

document.addEventListener('htmx:after:swap', start)
start()
