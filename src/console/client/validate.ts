/** Receipts and bundles from a file: read, verified and shown in this tab; nothing is sent, and nothing is remembered. */
import { BUNDLE_BYTES, parseBundle } from '../../provenance/bundle.ts'
import { fieldOf } from '../../provenance/commitment.ts'
import { type ProofStep, verdictOf } from '../../provenance/proof-steps.ts'
import { parseReceipt } from '../../provenance/receipt.ts'
import { find } from './dom.ts'
import { badge, note } from './proof-view.ts'
import { prove } from './prove.ts'

const form = find('#validator', HTMLFormElement)
const file = find('#proof-file', HTMLInputElement)
const key = find('#proof-key', HTMLInputElement)
const shown = find('#validated', HTMLElement)
if (form !== undefined && file !== undefined && key !== undefined && shown !== undefined) {
  form.hidden = false
  const contact = form.dataset['contact'] ?? ''
  const check = (one: File | undefined): void => void take(one, { vkey: key.value, contact, shown })
  file.addEventListener('change', () => check(file.files?.[0]))
  key.addEventListener('change', () => check(file.files?.[0]))
  form.addEventListener('submit', (event) => event.preventDefault())
  form.addEventListener('dragover', (event) => event.preventDefault())
  form.addEventListener('drop', (event) => {
    event.preventDefault()
    check(event.dataTransfer?.files[0])
  })
}

interface Place {
  vkey: string
  contact: string
  shown: HTMLElement
}

async function take(file: File | undefined, { vkey, contact, shown }: Place): Promise<void> {
  if (file === undefined) return
  if (file.size > BUNDLE_BYTES) return shown.replaceChildren(note('crit', 'The file is larger than 16 MiB'))
  const text = await file.text()
  try {
    const texts = receiptsIn(text)
    if (texts === undefined) {
      shown.replaceChildren(note('crit', 'This is neither a receipt nor a proof bundle', 'Nothing was checked.'))
      return
    }
    const checked: Checked[] = []
    for (const one of texts) checked.push(await check(one, vkey))
    show(shown, checked, { name: file.name, contact })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    shown.replaceChildren(note('crit', `Beyond the limit: ${error.message}`))
  }
}

/** The receipts of the file; null for one that waited for its checkpoint. */
function receiptsIn(text: string): (string | null)[] | undefined {
  if (parseReceipt(text) !== undefined) return [text]
  return parseBundle(text)?.entries.map(({ receipt }) => receipt)
}

interface Checked {
  index: string
  says: string
  result: ProofStep['result']
  steps: readonly ProofStep[]
}

async function check(text: string | null, vkey: string): Promise<Checked> {
  const receipt = text === null ? undefined : parseReceipt(text)
  if (receipt === undefined)
    return {
      index: '?',
      says: text === null ? 'without a receipt yet' : 'malformed',
      result: text === null ? 'UNKNOWN' : 'FAIL',
      steps: [],
    }
  const { extra: record, path, checkpoint, index } = receipt
  const steps = await prove(
    { vkey, index, note: checkpoint, policy: undefined, path, record, tile: undefined },
    { keep: false },
  )
  const fields = new Map(
    record.disclosures.flatMap((one) => fieldOf(one) ?? []).map(({ name, value }) => [name, value]),
  )
  const says = ['type', 'actor', 'time']
    .flatMap((name) => (fields.has(name) ? [String(fields.get(name))] : []))
    .join(' · ')
  return { index: String(index), says, result: verdictOf(steps), steps }
}

function show(
  place: HTMLElement,
  checked: readonly Checked[],
  { name, contact }: { name: string; contact: string },
): void {
  const failed = checked.filter(({ result }) => result === 'FAIL').length
  const passed = checked.filter(({ result }) => result === 'PASS').length
  const title =
    failed > 0
      ? `FAILED: ${failed} of ${checked.length} in ${name}`
      : `${passed} of ${checked.length} verified in ${name}`
  const list = document.createElement('ol')
  list.className = 'validated-list'
  for (const one of checked) list.append(itemOf(one))
  place.replaceChildren(
    note(
      failed > 0 ? 'crit' : passed > 0 && passed === checked.length ? 'ok' : 'info',
      title,
      ...(failed > 0 ? [contact] : []),
    ),
    list,
  )
}

function itemOf({ index, says, result, steps }: Checked): HTMLElement {
  const item = document.createElement('li')
  item.dataset['result'] = result
  const details = document.createElement('details')
  details.open = result === 'FAIL'
  const summary = document.createElement('summary')
  summary.append(badge(result, result), ` entry ${index} `, says)
  const list = document.createElement('ul')
  for (const step of steps) {
    const line = document.createElement('li')
    line.dataset['step'] = step.step
    line.dataset['result'] = step.result
    line.append(badge(step.result, step.result), ` ${step.says}`)
    list.append(line)
  }
  details.append(summary, list)
  item.append(details)
  return item
}
