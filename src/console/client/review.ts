/** What the pages of analysts do on their own: everything works without it, by forms and links. */
import { isDialogOpen, isTyping, say } from './dom.ts'
import { usualKey } from './keymap.ts'
import { keepLease, offsetOf } from './lease.ts'
import { watchQueue } from './news.ts'

/** Only the reasons of the chosen verdict are left; without JavaScript all of them stand there by verdict. */
function chooseReasons(form: HTMLFormElement): void {
  const select = form.querySelector<HTMLSelectElement>('select[data-reasons]')
  if (select === null) return
  const sift = (): void => {
    const verdict = form.querySelector<HTMLInputElement>('input[name="verdict"]:checked')?.value
    for (const part of form.querySelectorAll<HTMLElement>('[data-for-verdict]'))
      part.hidden = part.dataset['forVerdict'] !== verdict
    if (verdict !== undefined) leaveReasonsOf(select, verdict)
  }
  form.addEventListener('change', (event) => {
    if (event.target instanceof HTMLInputElement && event.target.name === 'verdict') sift()
  })
  sift()
}

/** A reason that is none of the verdict is no longer chosen; the only one of it is. */
function leaveReasonsOf(select: HTMLSelectElement, verdict: string): void {
  let own: HTMLOptGroupElement | undefined
  for (const group of select.querySelectorAll('optgroup')) {
    const isOwn = group.dataset['verdict'] === verdict
    if (isOwn) own = group
    group.hidden = !isOwn
    group.disabled = !isOwn
  }
  const chosen = select.selectedOptions[0]?.closest('optgroup')
  if (select.value === 'other' || chosen === own) return
  const options = own?.querySelectorAll('option') ?? []
  select.value = options.length === 1 ? (options[0]?.value ?? '') : ''
}

const SECOND_MS = 1_000

/** Counts the grace down, and says when it is over. */
function countGrace(bar: HTMLElement): void {
  // By the node's clock, which need not be this one's.
  const until = Date.parse(bar.dataset['until'] ?? '') - offsetOf(bar)
  const left = bar.querySelector<HTMLElement>('[data-left]')
  const button = bar.querySelector('button')
  const timer = setInterval(() => {
    const seconds = Math.ceil((until - Date.now()) / SECOND_MS)
    if (left !== null) left.textContent = `${Math.max(0, seconds)} s`
    if (seconds > 0) return
    clearInterval(timer)
    bar.classList.add('undo-over')
    const text = bar.querySelector('p')
    if (text !== null) text.textContent = 'Delivered. It can be corrected on the page of its case.'
    button?.setAttribute('disabled', '')
  }, SECOND_MS)
}

/** What a page wants to be read first: an undo bar, an error, words that were asked for. */
function focusFirst(within: ParentNode): void {
  const wanted =
    within.querySelector<HTMLElement>('[aria-invalid="true"]') ??
    within.querySelector<HTMLElement>('#undo-button') ??
    within.querySelector<HTMLElement>('[data-focus]') ??
    within.querySelector<HTMLElement>('#claim') ??
    within.querySelector<HTMLElement>('input[name="verdict"]:checked, input[name="verdict"]') ??
    within.querySelector<HTMLElement>('[data-open-row]')
  wanted?.focus({ preventScroll: true })
}

/** Keys of a list that act on the row which is in hand. */
function watchRowKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (document.documentElement.dataset['keys'] === 'off' || event.ctrlKey || event.metaKey || event.altKey) return
    if (isTyping(event.target) || isDialogOpen()) return
    const row = document.querySelector('tr[data-active]') ?? document.activeElement?.closest('tr[data-row]')
    if (event.key === 'X') return selectTo(row)
    row?.querySelector<HTMLElement>(`[data-row-key="${CSS.escape(usualKey(event.key))}"]`)?.click()
  })
}

const boxes = (): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>('.row-box input')]
let lastBox: HTMLInputElement | undefined

/** All rows from the one that was selected last. */
function selectTo(row: Element | null | undefined): void {
  const all = boxes()
  const box = row?.querySelector<HTMLInputElement>('.row-box input')
  if (box === null || box === undefined) return
  const [from, to] = [all.indexOf(lastBox ?? box), all.indexOf(box)].sort((a, b) => a - b)
  for (const one of all.slice(from, (to ?? 0) + 1)) one.checked = true
  countSelected()
}

function countSelected(): void {
  const count = boxes().filter(({ checked }) => checked).length
  const text = document.querySelector<HTMLElement>('[data-selected]')
  if (text !== null) text.textContent = count === 0 ? '' : `(${count})`
  if (count > 0) say(`${count} selected`)
}

function watchSelection(): void {
  for (const box of boxes())
    box.addEventListener('change', () => {
      lastBox = box
      countSelected()
    })
}

/** What was opened by a key is filled in at once. */
function followDetails(): void {
  for (const details of document.querySelectorAll<HTMLDetailsElement>('.lease-more, .correct'))
    details.addEventListener('toggle', () => {
      if (details.open) details.querySelector<HTMLElement>('select, input:not([type=hidden]), textarea')?.focus()
    })
}

const form = document.querySelector<HTMLFormElement>('#decide')
if (form !== null) chooseReasons(form)
const undo = document.querySelector<HTMLElement>('#undo')
if (undo !== null) countGrace(undo)
const lease = document.querySelector<HTMLElement>('[data-lease]')
if (lease !== null) keepLease(lease)
const queue = document.querySelector<HTMLElement>('[data-news]')
if (queue !== null) watchQueue(queue)
watchRowKeys()
watchSelection()
focusFirst(document)
followDetails()

document.addEventListener('htmx:after:swap', () => {
  document.querySelector<HTMLElement>('#texts[data-focus], #related [data-focus]')?.focus({ preventScroll: true })
})
