import { say } from './dom.ts'

const EVERY_MS = 30_000

/** Asks now and then whether cases came; the page itself stays as it is until somebody wants them. */
export function watchQueue(queue: HTMLElement): void {
  const address = queue.dataset['news'] ?? ''
  const link = queue.querySelector<HTMLAnchorElement>('.news')
  const text = queue.querySelector<HTMLElement>('[data-news-text]')
  // The view that is looked at, from its beginning.
  const view = new URL(location.href)
  view.searchParams.delete('cursor')
  if (link !== null) link.setAttribute('href', `${view.pathname}${view.search}`)
  let tag = ''
  const ask = async (): Promise<void> => {
    const answer = await fetch(address, { headers: tag === '' ? {} : { 'if-none-match': tag } })
    if (!answer.ok) return
    tag = answer.headers.get('etag') ?? ''
    const { new: count } = (await answer.json()) as { new: number }
    if (count === 0 || link === null || text === null) return
    text.textContent = `${count >= 100 ? '100+' : count} new, press . to load`
    link.hidden = false
    say(`${count} new ${count === 1 ? 'case' : 'cases'}`)
  }
  setInterval(() => {
    if (document.visibilityState === 'visible') void ask().catch(() => {})
  }, EVERY_MS)
}
