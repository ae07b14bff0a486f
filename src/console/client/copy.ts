import { all, say } from './dom.ts'

/** Buttons that copy are there only where a script can do it. */
export function watchCopies(): void {
  const show = (): void => {
    for (const button of all('button[data-copy][hidden]')) button.hidden = false
  }
  show()
  document.addEventListener('htmx:after:swap', show)
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('button[data-copy]') : null
    const text = button?.dataset['copy']
    if (text === undefined) return
    navigator.clipboard.writeText(text).then(
      () => say('Copied'),
      () => say('Could not copy'),
    )
  })
}
