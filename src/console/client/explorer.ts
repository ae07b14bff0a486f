/** Verifies a page of entries in this tab: each receipt against the log's key, and each row against its receipt. */
import { parseBundle } from '../../provenance/bundle.ts'
import { fieldOf } from '../../provenance/commitment.ts'
import { type ProofStep, verdictOf } from '../../provenance/proof-steps.ts'
import { parseReceipt } from '../../provenance/receipt.ts'
import { all, find } from './dom.ts'
import { logFiles } from './log-files.ts'
import { badge, note, nowText } from './proof-view.ts'
import { prove } from './prove.ts'

const page = find('.explorer', HTMLElement)
const button = find('#verify-page', HTMLButtonElement)
if (page !== undefined && button !== undefined) {
  button.hidden = false
  button.addEventListener('click', () => void verifyPage(page, button))
}

async function verifyPage(page: HTMLElement, button: HTMLButtonElement): Promise<void> {
  const told = find('#verify-result', HTMLElement)
  const { log = '1', vkey = '' } = page.dataset
  button.disabled = true
  try {
    const answer = await fetch(button.dataset['bundle'] ?? '')
    if (!answer.ok) throw new Error(`${answer.status}`)
    const bundle = parseBundle(await answer.text())
    if (bundle === undefined) throw new Error('no bundle')
    const receipts = new Map(bundle.entries.map(({ index, receipt }) => [index, receipt]))
    const files = logFiles(`/log/${log}`)
    const policy = await files.policy()
    const results: Result[] = []
    for (const row of all('tr[data-entry]')) {
      const receipt = receipts.get(row.dataset['entry'] ?? '')
      const result = await rowResult(row, { receipt, vkey, policy, tile: files.tile })
      results.push(result)
      mark(row, result)
    }
    told?.replaceChildren(outcomeOf(results))
  } catch {
    told?.replaceChildren(note('info', 'The proofs could not be fetched; nothing was verified here.'))
  }
  button.disabled = false
}

function outcomeOf(results: readonly Result[]): HTMLElement {
  const n = (wanted: Result): number => results.filter((one) => one === wanted).length
  if (n('FAIL') > 0) return note('crit', `FAILED: ${n('FAIL')} of the entries do not fit`)
  if (n('PASS') === results.length) return note('ok', `${n('PASS')} entries verified in this browser at ${nowText()}`)
  return note('info', `${n('PASS')} of ${results.length} entries verified in this browser at ${nowText()}`, NOT_ALL)
}

const NOT_ALL =
  'The others wait for their checkpoint, or could not be verified here: a step is UNKNOWN on the page of the entry, or who acted is not yours to open.'

/** `WAITS`: its checkpoint is still to come. */
type Result = ProofStep['result'] | 'WAITS'

interface Row {
  receipt: string | null | undefined
  vkey: string
  policy: string | undefined
  tile: Parameters<typeof prove>[0]['tile']
}

async function rowResult(row: HTMLElement, { receipt: text, vkey, policy, tile }: Row): Promise<Result> {
  if (text === undefined || text === null) return 'WAITS'
  const receipt = parseReceipt(text)
  if (receipt === undefined || String(receipt.index) !== row.dataset['entry']) return 'FAIL'
  const { extra: record, path, checkpoint, index } = receipt
  const steps = await prove({ vkey, index, note: checkpoint, policy, path, record, tile }, { keep: true })
  const verdict = verdictOf(steps)
  return verdict === 'PASS' ? rowFits(row, record.disclosures) : verdict
}

/** Whether the row says what its record says; a field that is not opened shows nothing. */
function rowFits(row: HTMLElement, disclosures: readonly string[]): ProofStep['result'] {
  const fields = new Map(disclosures.flatMap((one) => fieldOf(one) ?? []).map(({ name, value }) => [name, value]))
  const { kind, actor, at } = row.dataset
  const shown = Object.entries({ type: kind, actor, time: at })
  if (shown.some(([name, value]) => fields.has(name) && fields.get(name) !== value)) return 'FAIL'
  return shown.every(([name]) => fields.has(name)) ? 'PASS' : 'UNKNOWN'
}

const WORDS: Readonly<Record<Result, string>> = {
  PASS: 'Verified in this browser',
  FAIL: 'FAILED',
  UNKNOWN: 'Not verified here',
  WAITS: 'Pending',
}

function mark(row: HTMLElement, result: Result): void {
  row.dataset['proven'] = result
  row.lastElementChild?.replaceChildren(badge(result === 'WAITS' ? 'UNKNOWN' : result, WORDS[result]))
}
