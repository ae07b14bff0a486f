import { all, find } from './dom.ts'

interface Entry {
  name: string
  kind: string
  run(): void
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const SHOWN_MAX = 30

/** Ctrl-K: whatever the page could do by a link or a button, found by its name. */
export function watchPalette(): void {
  const [dialog, input] = [find('#palette', HTMLDialogElement), find('#palette-input', HTMLInputElement)]
  const list = document.getElementById('palette-list')
  if (dialog === undefined || input === undefined || list === null) return
  let entries: Entry[] = []
  let chosen = 0

  const draw = (): void => {
    list.replaceChildren(...entries.map((entry, at) => optionOf(entry, at, () => run(at))))
    mark()
  }
  const mark = (): void => {
    for (const [at, option] of [...list.children].entries()) option.setAttribute('aria-selected', String(at === chosen))
    list.children[chosen]?.scrollIntoView({ block: 'nearest' })
    input.setAttribute('aria-activedescendant', entries.length === 0 ? '' : `palette-${chosen}`)
  }
  const run = (at: number): void => {
    const entry = entries[at]
    dialog.close()
    entry?.run()
  }
  const search = (): void => {
    entries = found(input.value)
    chosen = 0
    draw()
  }

  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey) return
    event.preventDefault()
    if (!dialog.open) dialog.showModal()
  })
  dialog.addEventListener('toggle', () => {
    input.value = ''
    search()
    input.focus()
  })
  input.addEventListener('input', search)
  input.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      event.preventDefault()
      chosen = (chosen + step + entries.length) % Math.max(1, entries.length)
      mark()
    } else if (event.key === 'Enter') {
      event.preventDefault()
      run(chosen)
    }
  })
}

function found(text: string): Entry[] {
  const query = text.trim().toLowerCase()
  const words = query.split(/\s+/).filter((word) => word !== '')
  const named = onPage().filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
  return [...byId(query), ...named].slice(0, SHOWN_MAX)
}

/** Links of the navigation, then what the page does. */
function onPage(): Entry[] {
  const commands = all('[data-command]').map((element) => ({
    name: element.dataset['command'] ?? '',
    kind: element instanceof HTMLAnchorElement ? 'page' : 'action',
    run: () => element.click(),
  }))
  const actions = all('main [data-key]').map((element) => ({
    name: (element.childNodes[0]?.textContent ?? '').trim(),
    kind: 'here',
    run: () => element.click(),
  }))
  return [...actions, ...commands].filter(({ name }) => name !== '')
}

/** An id goes to the server by the address of its page: digits to the log, others to whatever has ids. */
function byId(query: string): Entry[] {
  const go = (path: string) => () => location.assign(path)
  if (/^[0-9]{1,18}$/.test(query)) return [{ name: `Entry ${query}`, kind: 'log', run: go(`/log/entries/${query}`) }]
  if (!UUID.test(query)) return []
  return all('[data-palette-id]').map(({ dataset }) => ({
    name: `${dataset['paletteName'] ?? 'Open'} ${query.slice(0, 8)}…`,
    kind: 'id',
    run: go((dataset['paletteId'] ?? '').replace('ID', query)),
  }))
}

function optionOf({ name, kind }: Entry, at: number, run: () => void): HTMLElement {
  const option = document.createElement('div')
  option.id = `palette-${at}`
  option.setAttribute('role', 'option')
  const [label, hint] = [document.createElement('span'), document.createElement('span')]
  label.textContent = name
  hint.textContent = kind
  hint.className = 'muted'
  option.append(label, hint)
  option.addEventListener('click', run)
  return option
}
