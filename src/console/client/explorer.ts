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
    let [passed, failed] = [0, 0]
    for (const row of all('tr[data-entry]')) {
      const receipt = receipts.get(row.dataset['entry'] ?? '')
      const result = await rowResult(row, { receipt, vkey, policy, tile: files.tile })
      if (result === 'PASS') passed += 1
      if (result === 'FAIL') failed += 1
      mark(row, result)
    }
    const title =
      failed > 0
        ? `FAILED: ${failed} of the entries do not fit`
        : `${passed} entries verified in this browser at ${nowText()}`
    told?.replaceChildren(note(failed > 0 ? 'crit' : 'ok', title))
  } catch {
    told?.replaceChildren(note('info', 'The proofs could not be fetched; nothing was verified here.'))
  }
  button.disabled = false
}

interface Row {
  receipt: string | null | undefined
  vkey: string
  policy: string | undefined
  tile: Parameters<typeof prove>[0]['tile']
}

async function rowResult(row: HTMLElement, { receipt: text, vkey, policy, tile }: Row): Promise<ProofStep['result']> {
  if (text === undefined || text === null) return 'UNKNOWN'
  const receipt = parseReceipt(text)
  if (receipt === undefined || String(receipt.index) !== row.dataset['entry']) return 'FAIL'
  const { extra: record, path, checkpoint, index } = receipt
  const steps = await prove({ vkey, index, note: checkpoint, policy, path, record, tile }, { keep: true })
  return fits(row, record.disclosures) ? verdictOf(steps) : 'FAIL'
}

/** Whether the row says what its record says. */
function fits(row: HTMLElement, disclosures: readonly string[]): boolean {
  const fields = new Map(disclosures.flatMap((one) => fieldOf(one) ?? []).map(({ name, value }) => [name, value]))
  const same = (name: string, shown: string | undefined): boolean => {
    const value = fields.get(name)
    return value === undefined || value === shown
  }
  const { kind, actor, at } = row.dataset
  return same('type', kind) && same('actor', actor) && same('time', at)
}

const WORDS: Readonly<Record<ProofStep['result'], string>> = {
  PASS: 'Verified in this browser',
  FAIL: 'FAILED',
  UNKNOWN: 'Pending',
}

function mark(row: HTMLElement, result: ProofStep['result']): void {
  row.dataset['proven'] = result
  row.lastElementChild?.replaceChildren(badge(result, WORDS[result]))
}
