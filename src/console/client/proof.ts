/** Every step of the proof again, in this tab, from the log's own files. */
import { verdictOf } from '../../provenance/proof-steps.ts'
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
    const failed = verdictOf(steps) === 'FAIL'
    const title = failed ? 'FAILED: this entry does not fit the log' : `Verified in this browser at ${nowText()}`
    const rest = failed ? contact : 'Every step that says PASS was done here, by your browser.'
    verdict.replaceChildren(note(failed ? 'crit' : 'ok', title, rest))
    place.dataset['proven'] = failed ? 'failed' : 'passed'
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
