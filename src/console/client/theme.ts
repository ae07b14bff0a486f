import { find } from './dom.ts'

/** The choice in Settings shows at once; saving keeps it. */
export function watchTheme(): void {
  const form = find('#look', HTMLFormElement)
  form?.addEventListener('change', () => {
    const data = new FormData(form)
    const { classList, dataset } = document.documentElement
    classList.remove('theme-system', 'theme-light', 'theme-dark', 'compact', 'roomy')
    classList.add(`theme-${String(data.get('theme'))}`, String(data.get('density')))
    dataset['keys'] = String(data.get('keys'))
  })
}
