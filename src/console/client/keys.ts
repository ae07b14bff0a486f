import { all, find, isDialogOpen, isTyping } from './dom.ts'
import { usualKey } from './keymap.ts'

/** After `g`, so long for the second key. */
const CHORD_MS = 1_500

/** Single keys: each presses what is on the page. */
export function watchKeys(): void {
  let chord = 0
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') leaveField(event.target)
    if (!isSingle(event)) return
    const going = event.timeStamp - chord < CHORD_MS && chord > 0
    chord = !going && event.key === 'g' ? event.timeStamp : 0
    const done = going ? go(event.key) : act(event.key)
    if (done) event.preventDefault()
  })
  for (const opener of all('[data-open]')) {
    opener.hidden = false
    opener.addEventListener('click', (event) => {
      event.preventDefault()
      open(opener.dataset['open'] ?? '')
    })
  }
}

/** They rest in fields and dialogs, with a modifier, and where Settings says so. */
function isSingle({ ctrlKey, metaKey, altKey, isComposing, target }: KeyboardEvent): boolean {
  const modified = ctrlKey || metaKey || altKey || isComposing
  return !modified && document.documentElement.dataset['keys'] !== 'off' && !isTyping(target) && !isDialogOpen()
}

function leaveField(target: EventTarget | null): void {
  if (target instanceof HTMLElement && isTyping(target) && !isDialogOpen()) target.blur()
}

function go(key: string): boolean {
  const link = find(`a[data-go="${CSS.escape(key)}"]`, HTMLAnchorElement)
  link?.click()
  return link !== undefined
}

function act(pressedKey: string): boolean {
  const key = usualKey(pressedKey)
  if (key === '?') return open('help')
  if (key === 'j' || key === 'ArrowDown') return move(1)
  if (key === 'k' || key === 'ArrowUp') return move(-1)
  if (key === 'Enter' || key === 'o') return openRow()
  const pressed = find(`main [data-key="${CSS.escape(key)}"]`, HTMLElement)
  if (isTyping(pressed ?? null)) pressed?.focus()
  else pressed?.click()
  return pressed !== undefined
}

export function open(id: string): boolean {
  const dialog = find(`#${CSS.escape(id)}`, HTMLDialogElement)
  dialog?.showModal()
  return dialog !== undefined
}

const rows = (): HTMLElement[] => all('main [data-row]')
const activeRow = (): HTMLElement | undefined => rows().find((row) => row.dataset['active'] !== undefined)

/** One row has the tab stop of its link; the others are reached by keys alone. */
function move(by: 1 | -1): boolean {
  const list = rows()
  if (list.length === 0) return false
  const at = list.findIndex((row) => row.dataset['active'] !== undefined)
  const next = list[Math.min(Math.max(at + by, 0), list.length - 1)]
  for (const row of list) delete row.dataset['active']
  if (next === undefined) return false
  next.dataset['active'] = ''
  linkOf(next)?.focus()
  next.scrollIntoView({ block: 'nearest' })
  return true
}

const linkOf = (row: HTMLElement): HTMLAnchorElement | undefined => find('a[data-open-row]', HTMLAnchorElement, row)

function openRow(): boolean {
  // A link or button that has the focus is pressed by the browser itself.
  if (document.activeElement instanceof HTMLElement && document.activeElement.matches('a, button, summary'))
    return false
  const row = activeRow()
  const link = row === undefined ? undefined : linkOf(row)
  link?.click()
  return link !== undefined
}
