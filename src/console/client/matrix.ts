/** One stop of the tabulator for all cells, and arrow keys between them. */
import { find } from './dom.ts'

const STEPS: Readonly<Record<string, readonly [row: number, column: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
}

const table = find('#matrix', HTMLTableElement)
if (table !== undefined) {
  const cells = [...table.querySelectorAll<HTMLAnchorElement>('a[data-cell]')]
  for (const [i, cell] of cells.entries()) cell.tabIndex = i === 0 ? 0 : -1
  table.addEventListener('keydown', (event) => move(cells, event))
  table.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLAnchorElement)) return
    for (const cell of cells) cell.tabIndex = cell === target ? 0 : -1
  })
}

function move(cells: readonly HTMLAnchorElement[], event: KeyboardEvent): void {
  const step = STEPS[event.key]
  const cell = event.target instanceof HTMLElement ? event.target.closest('td') : null
  if (step === undefined || cell === null || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  next(cell, step, cells)?.focus()
}

/** The nearest cell in that direction that leads somewhere: on the diagonal nobody shares with itself. */
function next(
  from: HTMLTableCellElement,
  [down, right]: readonly [number, number],
  cells: readonly HTMLAnchorElement[],
) {
  let row: Element | null | undefined = from.parentElement
  let column = from.cellIndex
  while (row instanceof HTMLTableRowElement) {
    if (down !== 0) row = down > 0 ? row.nextElementSibling : row.previousElementSibling
    column += right
    if (!(row instanceof HTMLTableRowElement) || column < 1 || column >= row.cells.length) return undefined
    const found = row.cells[column]?.querySelector<HTMLAnchorElement>('a[data-cell]')
    if (found instanceof HTMLAnchorElement && cells.includes(found)) return found
  }
  return undefined
}
