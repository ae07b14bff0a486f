/** What was asked for is read first, and each once. */
function focusNew(): void {
  const shown = document.querySelector<HTMLElement>('.revealed[data-focus]')
  shown?.removeAttribute('data-focus')
  shown?.focus({ preventScroll: true })
}

document.addEventListener('htmx:after:swap', focusNew)
document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
focusNew()
