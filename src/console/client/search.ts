/** Makes what is searched for into keys, in this tab: the field of the value has no name, so that no form can send it. */
import { all, find } from './dom.ts'
import type { Prepared } from './search-keys.ts'

const form = find('#search', HTMLFormElement)
if (form !== undefined) prepare(form)

/** What the page has for it; everything was rendered by the server, and is hidden where no script can fill it. */
interface Parts {
  form: HTMLFormElement
  type: HTMLSelectElement
  value: HTMLInputElement
  algorithm: HTMLSelectElement
  keys: HTMLElement
  button: HTMLButtonElement
}

function prepare(form: HTMLFormElement): void {
  const type = find('select[name=type]', HTMLSelectElement, form)
  const value = find('#value', HTMLInputElement, form)
  const algorithm = find('#algorithm', HTMLSelectElement, form)
  const keys = find('#keys', HTMLElement, form)
  const button = find('button[type=submit]', HTMLButtonElement, form)
  if (!type || !value || !algorithm || !keys || !button) return
  const parts = { form, type, value, algorithm, keys, button }
  form.hidden = false
  type.addEventListener('change', () => choose(parts))
  // Leaving the field and pressing the button may be one and the same press.
  let taking = Promise.resolve(false)
  const begin = (): Promise<boolean> => {
    if (value.value.trim() !== '') taking = take(parts)
    return taking
  }
  value.addEventListener('blur', () => void begin())
  form.addEventListener('submit', (event) => {
    if (value.value.trim() === '' && keys.querySelector('input') !== null) return
    event.preventDefault()
    void begin().then((taken) => {
      if (taken && keys.querySelector('input') !== null) form.requestSubmit(button)
    })
  })
  choose(parts)
}

/** The fields that the type has; what is looked up by a keyed token is asked for by the command line. */
function choose({ form, type, algorithm, keys, button }: Parts): void {
  const byCommand = type.selectedOptions[0]?.dataset['by'] === 'command'
  for (const part of all('[data-in-tab]', form)) part.hidden = byCommand
  for (const part of all('[data-by-command]', form)) part.hidden = part.dataset['byCommand'] !== type.value
  const field = algorithm.closest<HTMLElement>('.field')
  if (field !== null) field.hidden = type.value !== 'media_hash'
  button.disabled = byCommand
  keys.replaceChildren()
}

/** Whether there is something to be sent now. The value is gone from the page whatever came of it. */
async function take(parts: Parts): Promise<boolean> {
  const { type, value, algorithm, keys } = parts
  const raw = value.value
  value.value = ''
  keys.textContent = 'Preparing…'
  const { keysOf } = await import('./search-keys.ts')
  const prepared = await keysOf(type.value, raw, algorithm.value)
  keys.replaceChildren(...(prepared.outcome === 'keys' ? shown(prepared) : [refused(prepared.reason)]))
  return prepared.outcome === 'keys'
}

function shown({ profile, keys }: Extract<Prepared, { outcome: 'keys' }>): Node[] {
  const line = element(
    'p',
    `${keys.length === 1 ? 'One key is' : `${keys.length} keys are`} ready. The value was cleared and has not left this tab.`,
  )
  const details = element('details', '')
  const list = element('ol', '')
  for (const key of keys) {
    const item = element('li', '')
    item.append(element('code', key))
    list.append(item)
  }
  details.append(
    element('summary', 'What will be sent'),
    element('p', `SHA-256 by the rule ${profile}, and nothing else:`),
    list,
  )
  return [line, details, hidden('profile', profile), ...keys.map((key) => hidden('keys[]', key))]
}

function refused(reason: string): Node {
  const text = element('p', `It was cleared and cannot be searched for: ${reason}.`)
  text.className = 'field-error'
  return text
}

function element(name: string, text: string): HTMLElement {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

function hidden(name: string, value: string): HTMLInputElement {
  const input = document.createElement('input')
  input.type = 'hidden'
  input.name = name
  input.value = value
  return input
}
