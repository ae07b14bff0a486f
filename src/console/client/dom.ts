/** The element, if it is there and of the kind. */
export function find<T extends Element>(
  selector: string,
  kind: new () => T,
  within: ParentNode = document,
): T | undefined {
  const found = within.querySelector(selector)
  return found instanceof kind ? found : undefined
}

export const all = (selector: string, within: ParentNode = document): HTMLElement[] => [
  ...within.querySelectorAll<HTMLElement>(selector),
]

/** Said to screen readers, and to nobody else. */
export function say(text: string): void {
  const live = document.getElementById('live')
  if (live !== null) live.textContent = text
}

/** Whether typing goes into what has the focus. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select'))

export const isDialogOpen = (): boolean => document.querySelector('dialog[open]') !== null
