/** Every step of the proof again, in this tab, from the log's own files. */
import { type ProofStep, verdictOf } from '../../provenance/proof-steps.ts'
import { parseReceipt } from '../../provenance/receipt.ts'
import { find, say } from './dom.ts'
import { logFiles } from './log-files.ts'
import { note, nowText, showSteps } from './proof-view.ts'
import { prove } from './prove.ts'

const place = find('#proof', HTMLElement)
if (place !== undefined) {
  const again = find('#prove-again', HTMLButtonElement, place)
  if (again !== undefined) {
    again.hidden = false
    again.addEventListener('click', () => void run(place))
  }
  void run(place)
}

interface Outcome {
  proven: string
  tone: 'ok' | 'crit' | 'info'
  title: string
  rest: string
}

const OUTCOMES: Readonly<Record<ProofStep['result'], (contact: string) => Outcome>> = {
  PASS: () => ({
    proven: 'passed',
    tone: 'ok',
    title: `Verified in this browser at ${nowText()}`,
    rest: 'Every step that says PASS was done here, by your browser.',
  }),
  FAIL: (contact) => ({
    proven: 'failed',
    tone: 'crit',
    title: 'FAILED: this entry does not fit the log',
    rest: contact,
  }),
  UNKNOWN: () => ({
    proven: 'unproven',
    tone: 'info',
    title: 'Not verified in this browser',
    rest: 'A step that says UNKNOWN could not be done here, and without it the others show nothing.',
  }),
}

async function run(place: HTMLElement): Promise<void> {
  const { index = '0', log = '1', vkey = '', contact = '' } = place.dataset
  const verdict = find('#proof-verdict', HTMLElement, place)
  const list = find('#proof-steps', HTMLElement, place)
  if (verdict === undefined || list === undefined) return
  const files = logFiles(`/log/${log}`)
  try {
    const receipt = find('#receipt', HTMLElement, place)?.textContent
    const steps = await prove(
      {
        ...{
          vkey,
          index: BigInt(index),
          note: await files.checkpoint(),
          policy: await files.policy(),
          tile: files.tile,
        },
        record: receipt === undefined || receipt === null ? undefined : parseReceipt(receipt)?.extra,
      },
      { keep: true },
    )
    showSteps(list, steps)
    const { proven, tone, title, rest } = OUTCOMES[verdictOf(steps)](contact)
    verdict.replaceChildren(note(tone, title, rest))
    place.dataset['proven'] = proven
    say(title)
  } catch {
    verdict.replaceChildren(
      note(
        'info',
        'Not verified in this browser',
        'The log’s files could not be fetched. What stands below is what the server says.',
      ),
    )
    place.dataset['proven'] = 'unread'
  }
}
